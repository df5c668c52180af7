// Package appflow is the app's side of OAuth as `causeway perform` plays it: it
// asks for a device grant and waits for it (RFC 8628), exchanges refresh tokens,
// and asks whom an access token belongs to. It prints nothing and stores
// nothing.
//
// golang.org/x/oauth2 has a device flow too. It gives up at the first answer
// that is lost, does not hear Retry-After, and tells nobody how the waiting
// goes, which is most of what this package is for.
//
// What a server says is shown to people: whatever a terminal would not print is
// taken out of it here.
package appflow
