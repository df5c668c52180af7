package gateway

// Tame is what is kept of a context header.
var Tame = tame
