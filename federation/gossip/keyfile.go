package gossip

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
)

// NewKey is a line for a key file.
func NewKey() string {
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // it never fails
	return base64.StdEncoding.EncodeToString(key)
}

// ParseKeys reads a key file: a key a line, 32 bytes as base64; empty lines and
// those that begin with # do not count. Errors name the line, never what it says.
func ParseKeys(text []byte) ([][]byte, error) {
	var keys [][]byte
	n := 0
	for line := range bytes.Lines(text) {
		n++
		if line = bytes.TrimSpace(line); len(line) == 0 || line[0] == '#' {
			continue
		}
		key, err := base64.StdEncoding.Strict().DecodeString(string(line))
		if err != nil || len(key) != keySize {
			return nil, fmt.Errorf("line %d is not 32 bytes as base64", n)
		}
		keys = append(keys, key)
	}
	return keys, checkKeys(keys)
}
