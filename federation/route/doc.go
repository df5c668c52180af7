// Package route decides which organization, at which site, must fulfil a
// request: the routing table of the two context headers as one pure function.
//
// It owns the order of the rules and the answers a refused client sees. It does
// not fetch anything: the caller hands it a [View] of one moment, so that the
// same input gives the same row on every cell. It does not authorize either: a
// Local decision still needs the target organization's own word (roles, rights).
package route
