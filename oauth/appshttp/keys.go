package appshttp

import (
	"crypto/x509"
	"encoding/pem"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/jose"
	"causeway/internal/problem"
)

// keysAge is how long verifiers may keep the keys: much shorter than keys are
// published before they sign.
const keysAge = 5 * time.Minute

// keyBody has one key or all of them, as the client asks. Its list is a JWKS by
// itself.
type keyBody struct {
	Algorithm string     `json:"alg"`
	Issuer    string     `json:"issuer"`
	Value     string     `json:"value"`
	Keys      []jose.JWK `json:"keys"`
}

// publicKey is what verifies access tokens: the key that signs now as PEM, or all.
func (h *Handler) publicKey(c *gin.Context) error {
	q, err := httpapi.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		return err
	}
	body := keyBody{Algorithm: "RS256", Issuer: h.OAuth.ServiceIssuer(), Keys: []jose.JWK{}}
	switch format := q.Get("format"); format {
	case "", "pem":
		body.Value, err = h.pem(c)
	case "jwks":
		body.Keys, err = h.keys(c)
	default:
		err = problem.New(problem.BadRequest, "format must be pem or jwks.")
	}
	if err != nil {
		return err
	}
	httpapi.CachedJSON(c, keysAge, body)
	return nil
}

// jwks are the keys that verify access tokens (RFC 7517 §5).
func (h *Handler) jwks(c *gin.Context) error {
	keys, err := h.keys(c)
	if err != nil {
		return err
	}
	httpapi.CachedJSON(c, keysAge, struct {
		Keys []jose.JWK `json:"keys"`
	}{keys})
	return nil
}

func (h *Handler) pem(c *gin.Context) (string, error) {
	key, err := h.OAuth.ServiceKey(c.Request.Context())
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKIXPublicKey(key.Key)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

func (h *Handler) keys(c *gin.Context) ([]jose.JWK, error) {
	keys, err := h.OAuth.ServiceKeys(c.Request.Context())
	if err != nil {
		return nil, err
	}
	list := make([]jose.JWK, 0, len(keys))
	for _, k := range keys {
		one, err := jose.NewJWK(k.ID, k.Algorithm, k.Key)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, nil
}
