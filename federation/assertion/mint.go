package assertion

import (
	"crypto/ecdsa"
	"errors"
	"fmt"

	"causeway/federation/jws"
)

// Mint signs claims with the key of the organization in Claims.Src. It refuses
// what Verify would refuse at the other site, where the reason is harder to see.
func Mint(key *ecdsa.PrivateKey, c Claims) (string, error) {
	if c.ID == "" {
		c.ID = newID()
	}
	if c.IssuedAt.IsZero() {
		return "", errors.New("assertion: no issue time")
	}
	w := newWire(c)
	if err := w.check(); err != nil {
		return "", fmt.Errorf("assertion: %w", err)
	}
	return jws.Sign(key, typ, w)
}
