// Package tokenfile keeps the refresh token of an app in the file that VCD's
// SDKs use, so that an app may change between them and Causeway's command:
//
//	{"token_type": "Service Account", "refresh_token": "…",
//	 "updated_by": "<program>", "updated_on": "<RFC 3339>"}
//
// A service account's token rotates at every use. Two things could cost the
// account its token: two processes that present one token and save one after
// the other, and a crash between the server's answer and the file. Against the
// first, a lock is held from reading the file until its successor is written;
// the lock is a file of its own, for the token's file is replaced. Against the
// second, the old token stays in the file until the new one is durable, and the
// server answers the old one with the same successor once more.
//
// The SDKs know nothing of the lock: an app that shares its file with one of
// them must not run both at once.
package tokenfile
