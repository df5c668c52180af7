// Package gateway is the pipeline that every request passes: who asks, in whose
// organization, where that organization is, what may be done there. It is the
// only package that sees all domains; it owns none of their rules.
package gateway
