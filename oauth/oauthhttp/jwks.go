package oauthhttp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math/big"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/oauth"
	"causeway/tenants"
)

// keysAge is how long verifiers may keep the keys: much shorter than keys are
// published before they sign, and no longer than a key that was retired in an
// emergency may go on to be believed by others.
const keysAge = 5 * time.Minute

// jwk is a public key (RFC 7517 §4, RFC 7518 §6).
type jwk struct {
	Type      string `json:"kty"`
	ID        string `json:"kid"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	Curve     string `json:"crv,omitempty"`
	X         string `json:"x,omitempty"`
	Y         string `json:"y,omitempty"`
	Modulus   string `json:"n,omitempty"`
	Exponent  string `json:"e,omitempty"`
}

// jwks shows what verifies access tokens (RFC 7517 §5). All realms of a site share
// its keys, so the answer tells nothing about the realm.
func (h *Handler) jwks(c *gin.Context) error {
	if err := mayBeRealm(c); err != nil {
		return err
	}
	return h.writeKeys(c)
}

// tokenKeysPath is where associated sites ask that accept tokens of ours from
// clients, see federation/direct.
const tokenKeysPath = "/federation/v1/tokenKeys"

// tokenKeys tells associated sites the same, on the channel that proves whose keys
// they are.
func (h *Handler) tokenKeys(c *gin.Context, _ tenants.SiteID) error { return h.writeKeys(c) }

// instanceKeysPath is where service instances find what verifies the assertions that
// come with their requests.
const instanceKeysPath = "/.well-known/causeway-instance-keys"

func (h *Handler) instanceKeys(c *gin.Context) error {
	keys, err := h.OAuth.InstanceKeys(c.Request.Context())
	if err != nil {
		return err
	}
	return writeSet(c, keys)
}

func (h *Handler) writeKeys(c *gin.Context) error {
	keys, err := h.OAuth.PublicKeys(c.Request.Context())
	if err != nil {
		return err
	}
	return writeSet(c, keys)
}

func writeSet(c *gin.Context, keys []oauth.PublicKey) error {
	set := struct {
		Keys []jwk `json:"keys"`
	}{make([]jwk, 0, len(keys))}
	for _, k := range keys {
		one, err := newJWK(k)
		if err != nil {
			return err
		}
		set.Keys = append(set.Keys, one)
	}
	httpapi.CachedJSON(c, keysAge, set)
	return nil
}

func newJWK(k oauth.PublicKey) (jwk, error) {
	one := jwk{ID: k.ID, Use: "sig", Algorithm: k.Algorithm}
	switch key := k.Key.(type) {
	case *ecdsa.PublicKey:
		point, err := key.Bytes() // 4, x, y
		if err != nil {
			return jwk{}, err
		}
		half := len(point) / 2
		one.Type, one.Curve = "EC", key.Params().Name
		one.X, one.Y = encode(point[1:half+1]), encode(point[half+1:])
	case *rsa.PublicKey:
		one.Type, one.Modulus, one.Exponent = "RSA", encode(key.N.Bytes()), encode(big.NewInt(int64(key.E)).Bytes())
	default:
		return jwk{}, fmt.Errorf("no JWK is made of a %T", crypto.PublicKey(key))
	}
	return one, nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
