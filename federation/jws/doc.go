// Package jws reads and writes the signed documents sites exchange: compact JWS
// (RFC 7515), ES256 and nothing else, read as strictly as package jose reads.
//
// It does not know what a document says nor whose key it should carry.
package jws
