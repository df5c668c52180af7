// Package peer owns the way between two sites: who is at the other end (a leaf
// certificate issued by the root key the association pins), where that end may
// be (candidates, and a signed bundle when nothing else is known), and sending
// one request across without the client's credentials.
//
// Addresses are hints, keys are not: whoever an address leads to must prove the
// intended site in the handshake. What a request may do is decided elsewhere.
package peer
