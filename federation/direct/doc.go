// Package direct judges access tokens of other sites that clients show here: it
// checks the signature with the keys of the site that issued the token, and then
// asks that site whether the session behind it still stands.
//
// The token itself is never sent anywhere, not to its own issuer either: what is
// asked about is the session that it names. Which tokens are worth judging, and
// what their principals may do here, is the caller's business.
package direct
