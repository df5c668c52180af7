// Package assertion owns the one-request assertion: what the home site of a
// principal says about it to the site that fulfils a request.
//
// It has two parts. The introduction says who asks, where and for how long, and is
// signed with the key of the principal's organization; it brings a fresh secret
// that only the two sites see. The ticket names one request and is sealed with that
// secret. A signature would cost more than the rest of a request, so it is made and
// checked once for what a session asks within seconds; a ticket is for one request
// and good once.
//
// It says who, never what they may do: no role and no right is in it. Which key
// counts for a pair of organizations is the caller's business, and so is the
// channel, whose site the TLS handshake proved (package peer).
package assertion
