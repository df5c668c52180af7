package oauth

import (
	"crypto"
	"slices"
	"strings"
)

// PublicKey verifies access tokens of this site.
type PublicKey struct {
	ID        string // JWT kid
	Algorithm string // JWS alg, of tokens that this key verifies
	Key       crypto.PublicKey
}

// PublicKeys are the keys that verify access tokens, those that are yet to sign
// included, by id. They are in memory: anybody may ask for them.
func (s *Service) PublicKeys() []PublicKey {
	s.signer.mu.RLock()
	defer s.signer.mu.RUnlock()
	keys := make([]PublicKey, 0, len(s.signer.public))
	for id, key := range s.signer.public {
		keys = append(keys, PublicKey{ID: id, Algorithm: algorithm, Key: key})
	}
	slices.SortFunc(keys, func(a, b PublicKey) int { return strings.Compare(a.ID, b.ID) })
	return keys
}
