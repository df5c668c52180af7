package oauth

import (
	"context"
	"crypto"
)

// SigningKey gives tests what an attacker has not: without the right key all
// forgeries would fail for the same reason.
func (s *Service) SigningKey() (kid string, private crypto.Signer) {
	k, err := s.signer.signing(context.Background(), PurposeAccessToken)
	if err != nil {
		return "", nil
	}
	return k.ID, k.private.(crypto.Signer)
}
