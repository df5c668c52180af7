// Package jws reads and writes the signed documents sites exchange: compact JWS
// (RFC 7515), ES256 and nothing else, read as strictly as it can be.
//
// It does not know what a document says nor whose key it should carry. The JWT
// library supplies the signature; framing and JSON are checked here, because the
// library takes repeated members (the last one wins), matches names without
// regard to case and ignores critical headers.
package jws
