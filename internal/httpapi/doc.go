// Package httpapi is the gin kit that every HTTP face of Causeway is built
// with: routes as data, request identity, credentials, strict parsing of what
// clients send, and the one place where a problem becomes a client's dialect.
// It owns no behaviour of any endpoint.
package httpapi
