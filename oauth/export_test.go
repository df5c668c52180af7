package oauth

import "crypto/ecdsa"

// SigningKey gives tests what an attacker has not: without the right key all
// forgeries would fail for the same reason.
func (s *Service) SigningKey() (kid string, private *ecdsa.PrivateKey) {
	s.signer.mu.RLock()
	defer s.signer.mu.RUnlock()
	return s.signer.current, s.signer.private
}
