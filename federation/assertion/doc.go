// Package assertion owns the one-request assertion: what the home site of a
// principal says about it to the site that fulfils a request, signed with the
// key of the principal's organization.
//
// It says who, never what they may do: no role and no right is in it. Which key
// counts for a pair of organizations is the caller's business, and so is the
// channel, whose site the TLS handshake proved (package peer).
package assertion
