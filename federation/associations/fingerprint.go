package associations

import (
	"crypto/ecdsa"
	"slices"
	"strings"

	"causeway/federation/links"
	"causeway/federation/peer"
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
	text, err := peer.Fingerprint(k)
	if err != nil {
		return ""
	}
	return Grouped(text)
}

// Grouped writes a fingerprint as people read it out.
func Grouped(text string) string {
	var groups []string
	for piece := range slices.Chunk([]byte(text), 4) {
		groups = append(groups, string(piece))
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
