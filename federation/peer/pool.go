package peer

import (
	"crypto/tls"
	"net/http"
	"sync"
)

// pool is the transport to one site. It is replaced when this site has another
// leaf, which is long before the one ends that its connections were opened with:
// requests under way finish on the old ones, and no connection outlives its proof
// or the root key behind it.
type pool struct {
	identity *Identity
	make     func() *http.Transport

	mu       sync.Mutex
	leaf     *tls.Certificate
	now, old *http.Transport
}

func (p *pool) transport() (*http.Transport, error) {
	leaf, err := p.identity.certificate()
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.leaf != leaf {
		p.closeIdle()
		p.leaf, p.old, p.now = leaf, p.now, p.make()
	}
	return p.now, nil
}

// renew has the next request connect anew.
func (p *pool) renew() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leaf = nil
}

// close ends what nothing is under way on.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closeIdle()
}

func (p *pool) closeIdle() {
	for _, t := range []*http.Transport{p.now, p.old} {
		if t != nil {
			t.CloseIdleConnections()
		}
	}
}
