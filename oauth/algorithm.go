package oauth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"

	"github.com/golang-jwt/jwt/v5"
)

// The algorithms that keys can have. ES256 is the default: signing is cheap and
// tokens are short. RS256 is for verifiers that insist.
const (
	ES256 = "ES256"
	RS256 = "RS256"
)

const rsaBits = 2048 // RFC 7518 §3.3: the least; keys live for months

// newPair makes a key of an algorithm. RSA takes a tenth of a second: never
// inside a transaction.
func newPair(algorithm string) (public, private []byte, err error) {
	var key crypto.Signer
	switch algorithm {
	case ES256:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case RS256:
		key, err = rsa.GenerateKey(rand.Reader, rsaBits)
	default:
		err = fmt.Errorf("oauth: no keys of the algorithm %q are made", algorithm)
	}
	if err != nil {
		return nil, nil, err
	}
	if public, err = x509.MarshalPKIXPublicKey(key.Public()); err != nil {
		return nil, nil, err
	}
	private, err = x509.MarshalPKCS8PrivateKey(key)
	return public, private, err
}

// readPublic returns a stored key and the one method that it signs by. Which
// method that is says the key's row and never a token.
func readPublic(k SigningKey) (jwt.SigningMethod, crypto.PublicKey, error) {
	parsed, err := x509.ParsePKIXPublicKey(k.Public)
	if err != nil {
		return nil, nil, fmt.Errorf("signing key %s: %w", k.ID, err)
	}
	switch public := parsed.(type) {
	case *ecdsa.PublicKey:
		if k.Algorithm == ES256 && public.Curve == elliptic.P256() {
			return jwt.SigningMethodES256, public, nil
		}
	case *rsa.PublicKey:
		if k.Algorithm == RS256 && public.N.BitLen() >= rsaBits {
			return jwt.SigningMethodRS256, public, nil
		}
	}
	return nil, nil, fmt.Errorf("signing key %s is no key for %q", k.ID, k.Algorithm)
}
