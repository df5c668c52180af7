package oauthhttp

import (
	"time"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/jose"
	"causeway/oauth"
	"causeway/tenants"
)

// keysAge is how long verifiers may keep the keys: much shorter than keys are
// published before they sign, and no longer than a key that was retired in an
// emergency may go on to be believed by others.
const keysAge = 5 * time.Minute

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
		Keys []jose.JWK `json:"keys"`
	}{make([]jose.JWK, 0, len(keys))}
	for _, k := range keys {
		one, err := jose.NewJWK(k.ID, k.Algorithm, k.Key)
		if err != nil {
			return err
		}
		set.Keys = append(set.Keys, one)
	}
	httpapi.CachedJSON(c, keysAge, set)
	return nil
}
