package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
)

// Keys look as verifiers read them, numbers at their full length.
func TestJWK_RFC7517(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	// The modulus of RFC 7515 §A.2.1, as that writes it.
	const modulus = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
	n, err := encoding.DecodeString(modulus)
	if err != nil {
		t.Fatal(err)
	}
	point, err := ec.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		id, algorithm string
		key           crypto.PublicKey
		want          map[string]string
	}{
		"EC": {"site.1", "ES256", &ec.PublicKey, map[string]string{
			"kty": "EC", "kid": "site.1", "use": "sig", "alg": "ES256", "crv": "P-256", "x": encoding.EncodeToString(point[1:33]), "y": encoding.EncodeToString(point[33:]),
		}},
		"RSA": {"site.2", "RS256", &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}, map[string]string{
			"kty": "RSA", "kid": "site.2", "use": "sig", "alg": "RS256", "n": modulus, "e": "AQAB",
		}},
	} {
		one, err := NewJWK(tt.id, tt.algorithm, tt.key)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := json.Marshal(one)
		var got map[string]string
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
		if len(got) != len(tt.want) {
			t.Errorf("%s: %s", name, body)
		}
		for member, want := range tt.want {
			if got[member] != want {
				t.Errorf("%s: %s is %q, want %q", name, member, got[member], want)
			}
		}
	}
	if _, err := NewJWK("", "", "a secret"); err == nil || strings.Contains(err.Error(), "a secret") {
		t.Errorf("something that is no key: %v", err)
	}
}
