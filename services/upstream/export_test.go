package upstream

import (
	"time"

	"causeway/internal/http1"
)

// Patience sets how long p waits for the first byte of an answer.
func (p *Proxy) Patience(d time.Duration) {
	p.transports.each(func(t *http1.Transport) { t.Other.ResponseHeaderTimeout = d })
}

// Unreached is how a connection that could not be made is told.
func Unreached(err error) error { return unreached{err} }

// ByReverseProxy has p do everything by httputil.ReverseProxy.
func (p *Proxy) ByReverseProxy() { p.slow = true }
