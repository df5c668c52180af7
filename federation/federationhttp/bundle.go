// Package federationhttp is the HTTP face of package federation.
package federationhttp

import (
	"crypto/ecdsa"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/federation/peer"
	"causeway/internal/httpapi"
)

// Handler serves what other sites ask of this one before they know where its
// peer listener is.
type Handler struct {
	Root   *ecdsa.PrivateKey
	Bundle peer.Bundle // without Seq and IssuedAt
	Now    func() time.Time

	mu     sync.Mutex
	signed string
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
	c.Header("Cache-Control", "max-age=30")
	c.Data(http.StatusOK, "application/jose", []byte(token))
	return nil
}

func (h *Handler) sign(now time.Time) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.signed != "" && now.Sub(h.at) < resign {
		return h.signed, nil
	}
	b := h.Bundle
	b.Seq, b.IssuedAt = uint64(now.Unix()), now // grows across restarts and cells
	token, err := peer.SignBundle(h.Root, b)
	if err != nil {
		return "", err
	}
	h.signed, h.at = token, now
	return token, nil
}
