// Package federationhttp is the HTTP face of package federation.
package federationhttp

import (
	"crypto/ecdsa"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/federation/peer"
	"causeway/federation/roots"
	"causeway/internal/httpapi"
)

// Handler serves what other sites ask of this one before they know where its
// peer listener is.
type Handler struct {
	Roots  *roots.Keeper
	Bundle peer.Bundle // what the keys do not say
	Now    func() time.Time

	mu     sync.Mutex
	signed string
	seq    uint64
	by     *ecdsa.PrivateKey
	at     time.Time
}

// Endpoints lists what the handler serves.
func (h *Handler) Endpoints() httpapi.Endpoints {
	return httpapi.Endpoints{Open: []httpapi.Open{{Method: http.MethodGet, Path: peer.BundlePath, Do: h.bundle}}}
}

// resign is how long one signature serves: anybody may ask, and signing is the
// expensive part.
const resign = 30 * time.Second

func (h *Handler) bundle(c *gin.Context) error {
	token, err := h.sign(h.Now())
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "no-store") // a key that was retired must not live on in a cache
	c.Data(http.StatusOK, "application/jose", []byte(token))
	return nil
}

func (h *Handler) sign(now time.Time) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	seq, by := h.Roots.Seq(), h.Roots.Current()
	if h.signed != "" && h.seq == seq && h.by == by && now.Sub(h.at) < resign {
		return h.signed, nil
	}
	token, err := h.Roots.Sign(h.Bundle)
	if err != nil {
		return "", err
	}
	h.signed, h.seq, h.by, h.at = token, seq, by, now
	return token, nil
}
