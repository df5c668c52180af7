package secret

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"log/slog"
)

const masterSize = 32

// Keys is everything derived from a site's master key. The master key lives in
// a file outside the database, so a copy of the database alone can neither
// confirm a guess nor open a sealed value. Safe for concurrent use.
type Keys struct {
	digest    []byte
	successor []byte
	seal      cipher.AEAD
	id        string
}

// NewKeys derives the keys from 32 random bytes. Each purpose gets its own, so
// that an answer from one use is worth nothing in another.
func NewKeys(master []byte) (*Keys, error) {
	if len(master) != masterSize {
		return nil, fmt.Errorf("secret: the master key has %d bytes instead of %d", len(master), masterSize)
	}
	k := &Keys{}
	for _, derived := range []struct {
		label string
		size  int
		keep  func([]byte) error
	}{
		{"digest", 32, func(b []byte) error { k.digest = b; return nil }},
		{"successor", 32, func(b []byte) error { k.successor = b; return nil }},
		{"seal", 32, func(b []byte) (err error) { k.seal, err = newAEAD(b); return err }},
		{"key id", 8, func(b []byte) error { k.id = hex.EncodeToString(b); return nil }},
	} {
		b, err := hkdf.Key(sha256.New, master, nil, "causeway v1 "+derived.label, derived.size)
		if err != nil {
			return nil, fmt.Errorf("secret: derive the %s: %w", derived.label, err)
		}
		if err := derived.keep(b); err != nil {
			return nil, fmt.Errorf("secret: derive the %s: %w", derived.label, err)
		}
	}
	return k, nil
}

// KeyID is a fingerprint of the master key, 16 hexadecimal digits, for people to
// tell which key a site runs with.
func (k *Keys) KeyID() string { return k.id }

// Digest is HMAC-SHA256 of value under a key outside the database. It is keyed
// because a user code has 38 bits only: whoever held a copy of the database
// could try all codes against a plain hash. The purpose keeps a digest of one
// kind from being presented as another.
func (k *Keys) Digest(purpose, value string) []byte {
	return mac(k.digest, frame(purpose, value))
}

// Format keeps the keys out of anything that prints a struct that holds them.
func (Keys) Format(s fmt.State, _ rune) { fmt.Fprint(s, redacted) }

// LogValue does the same for slog's JSON handler, which does not use fmt.
func (Keys) LogValue() slog.Value { return slog.StringValue(redacted) }

func mac(key, message []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(message)
	return h.Sum(nil)
}

// frame joins the parts with their lengths before them: without, ("ab", "c")
// and ("a", "bc") would be the same message.
func frame(parts ...string) []byte {
	var b []byte
	for _, p := range parts {
		b = binary.BigEndian.AppendUint64(b, uint64(len(p)))
		b = append(b, p...)
	}
	return b
}
