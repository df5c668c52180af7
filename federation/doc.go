// Package federation owns other sites: associations, how a peer is found
// (gossip), who it is (keys from the association), what a request needs to cross
// to it once, and which site must fulfil a request.
//
// It does not decide what a principal may do: the fulfilling site does, with its
// own account, role and rights.
package federation
