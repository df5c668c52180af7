package oauth

import (
	"context"
	"crypto"
)

// PublicKey verifies tokens of this site.
type PublicKey struct {
	ID        string           // JWT kid
	Algorithm string           // JWS alg, of tokens that this key verifies
	Key       crypto.PublicKey // *ecdsa.PublicKey (P-256) or *rsa.PublicKey
}

// PublicKeys are the keys that verify access tokens, in the order in which they
// come to sign, those that are yet to sign included. They are in memory, and read
// again when a key has changed, so that anybody may ask for them.
func (s *Service) PublicKeys(ctx context.Context) ([]PublicKey, error) {
	return s.publicKeys(ctx, PurposeAccessToken)
}

func (s *Service) publicKeys(ctx context.Context, p Purpose) ([]PublicKey, error) {
	set, err := s.signer.current(ctx)
	if err != nil {
		return nil, err
	}
	var list []PublicKey
	for _, k := range living(set.list, p) {
		list = append(list, PublicKey{ID: k.ID, Algorithm: k.Algorithm, Key: set.ready[k.ID].public})
	}
	return list, nil
}
