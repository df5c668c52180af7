package direct

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// maxKeySet and maxKeys bound what a site may have us remember.
	maxKeySet = 32 << 10
	maxKeys   = 32
	minRSA    = 2048 // bits
	maxRSA    = 4096
)

// parseKeySet reads the keys that verify a site's access tokens (RFC 7517 §5).
// Keys of kinds that we do not know are left out.
func parseKeySet(body []byte) (map[string]key, error) {
	var set struct {
		Keys []jwk `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("direct: the key set cannot be read: %w", err)
	}
	if len(set.Keys) > maxKeys {
		return nil, errors.New("direct: the key set is too large")
	}
	keys := map[string]key{}
	for _, k := range set.Keys {
		if one, err := k.key(); err == nil && k.ID != "" && len(k.ID) <= 255 {
			keys[k.ID] = one
		}
	}
	return keys, nil
}

type jwk struct {
	Type      string `json:"kty"`
	ID        string `json:"kid"`
	Algorithm string `json:"alg"`
	Curve     string `json:"crv"`
	X         string `json:"x"`
	Y         string `json:"y"`
	Modulus   string `json:"n"`
	Exponent  string `json:"e"`
}

var errKey = errors.New("direct: not a key for access tokens")

func (k jwk) key() (key, error) {
	switch {
	case k.Type == "EC" && k.Algorithm == "ES256" && k.Curve == "P-256":
		x, errX := base64.RawURLEncoding.DecodeString(k.X)
		y, errY := base64.RawURLEncoding.DecodeString(k.Y)
		if errX != nil || errY != nil || len(x) != 32 || len(y) != 32 {
			return key{}, errKey
		}
		public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
		return key{jwt.SigningMethodES256, public}, err
	case k.Type == "RSA" && k.Algorithm == "RS256":
		n, errN := base64.RawURLEncoding.DecodeString(k.Modulus)
		e, errE := base64.RawURLEncoding.DecodeString(k.Exponent)
		modulus, exponent := new(big.Int).SetBytes(n), new(big.Int).SetBytes(e)
		if errN != nil || errE != nil || modulus.BitLen() < minRSA || modulus.BitLen() > maxRSA ||
			exponent.BitLen() > 31 || exponent.Int64() < 3 {
			return key{}, errKey
		}
		return key{jwt.SigningMethodRS256, &rsa.PublicKey{N: modulus, E: int(exponent.Int64())}}, nil
	}
	return key{}, errKey
}
