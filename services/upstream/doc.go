// Package upstream owns the way of a request to a service instance: by which host or
// path it is found, which of its upstreams gets the request, and what it is told of
// who asks. It does not decide who the caller is nor what they may.
package upstream
