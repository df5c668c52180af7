package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"fmt"
	"math/big"
)

// JWK is a public key that verifies signatures, as clients read it (RFC 7517 §4,
// RFC 7518 §6).
type JWK struct {
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

// NewJWK writes an ECDSA or RSA key; of others there is none.
func NewJWK(id, algorithm string, key crypto.PublicKey) (JWK, error) {
	one := JWK{ID: id, Use: "sig", Algorithm: algorithm}
	text := encoding.EncodeToString
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		point, err := key.Bytes() // 4, x, y
		if err != nil {
			return JWK{}, err
		}
		half := len(point) / 2
		one.Type, one.Curve = "EC", key.Params().Name
		one.X, one.Y = text(point[1:half+1]), text(point[half+1:])
	case *rsa.PublicKey:
		one.Type, one.Modulus, one.Exponent = "RSA", text(key.N.Bytes()), text(big.NewInt(int64(key.E)).Bytes())
	default:
		return JWK{}, fmt.Errorf("jose: no JWK is made of a %T", key)
	}
	return one, nil
}
