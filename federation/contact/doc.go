// Package contact keeps two associated sites informed about each other: whether
// the other one is there and holds the association too (heartbeats, from which
// the status of an association follows), which pairs of organizations both hold
// and what the other organization is called (the directory), and what has been
// revoked there (the feed).
//
// One cell of a site makes contact, by a lease; all cells answer, and all follow
// the feeds they need. What a peer says changes rows of associations that we
// hold, never makes any, and never more than a bounded number in a time.
//
// Nothing here decides about a request: that is for packages route, links and
// assertion, by the rows.
package contact
