package federationhttp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"

	"causeway/federation/links"
)

// keyOf is a new public key as association data carries it.
func keyOf(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text, err := links.EncodePublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
