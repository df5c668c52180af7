package associations

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"strings"

	"causeway/federation/links"
	"causeway/internal/problem"
)

// Fingerprint is what two people compare by voice before they trust a key: the
// SHA-256 of its SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), in groups of four
// hexadecimal digits. It is empty for what is no key.
func Fingerprint(key string) string {
	k, err := links.DecodePublicKey(key)
	if err != nil {
		return ""
	}
	der, err := x509.MarshalPKIXPublicKey(k)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(der)
	text := strings.ToUpper(hex.EncodeToString(sum[:]))
	var groups []string
	for i := 0; i < len(text); i += 4 {
		groups = append(groups, text[i:i+4])
	}
	return strings.Join(groups, " ")
}

// normalKey writes a key as we write keys: the text differs between clients, and
// what counts is the key.
func normalKey(text string) (string, error) {
	if strings.TrimSpace(text) == "" {
		return "", problem.New(problem.BadRequest, "The public key is missing.")
	}
	key, err := links.DecodePublicKey(strings.TrimSpace(text) + "\n")
	if err != nil {
		return "", err
	}
	return links.EncodePublicKey(key)
}

func encoded(key *ecdsa.PublicKey) (string, error) { return links.EncodePublicKey(key) }

// anotherKey refuses a key in the place of the one that is pinned: whoever sends
// association data again may have been given somebody else's.
func anotherKey(of, held, given string) error {
	return problem.New(problem.Conflict, "The association with %s holds another key (fingerprint %s) than the data (%s). "+
		"If the other side confirms the new one, replace the key first.", of, Fingerprint(held), Fingerprint(given))
}
