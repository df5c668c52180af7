package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
)

// sealVersion is the first byte of a sealed value. A later scheme takes another
// number, so that old rows stay readable while they are sealed anew.
const sealVersion = 1

// ErrSealed says that a sealed value does not open. It does not say why: a wrong
// key, another purpose and an altered byte look the same.
var ErrSealed = errors.New("secret: the sealed value does not open: another master key, another purpose, or altered")

// Seal encrypts plaintext with AES-256-GCM and a random nonce. What was sealed
// for one purpose opens for no other, so rows cannot be swapped. Random nonces
// are good for 2^32 values; we seal signing keys, not traffic.
func (k *Keys) Seal(purpose string, plaintext []byte) []byte {
	return k.seal.Seal([]byte{sealVersion}, nil, plaintext, sealedFor(purpose)) // #nosec G407 -- this cipher makes its nonces
}

// Open decrypts what Seal made for the same purpose, or returns ErrSealed.
func (k *Keys) Open(purpose string, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != sealVersion {
		return nil, ErrSealed
	}
	plaintext, err := k.seal.Open(nil, nil, sealed[1:], sealedFor(purpose))
	if err != nil {
		return nil, ErrSealed
	}
	return plaintext, nil
}

// sealedFor binds the version byte too, which lies outside the ciphertext.
func sealedFor(purpose string) []byte { return append([]byte{sealVersion}, purpose...) }

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
