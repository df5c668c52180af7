package upstream

import (
	"time"
)

// Patience sets how long p waits for the first byte of an answer.
func (p *Proxy) Patience(d time.Duration) {
	p.transport.(quiet).ResponseHeaderTimeout = d
}
