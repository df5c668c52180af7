// Package oauth owns machine identities and everything that is a token: service
// accounts, the device grant (RFC 8628), rotating refresh tokens, access tokens
// and the sessions behind them, including the sessions of people who logged in.
//
// It does not own organizations, users or roles (package tenants), and knows
// nothing of HTTP (package oauth/oauthhttp).
package oauth
