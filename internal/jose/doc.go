// Package jose takes signed tokens apart as strictly as it can be done: compact
// JWS (RFC 7515) in its one spelling, with a small flat header and a JSON object
// whose members are lower case and appear once.
//
// The JWT library supplies signatures and checks times and audiences; framing and
// JSON are checked here, because the library takes repeated members (the last one
// wins), matches names without regard to case and ignores critical headers. What a
// token says, and whose key it must carry, is for the reader to know.
package jose
