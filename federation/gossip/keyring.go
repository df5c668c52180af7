package gossip

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"sync"

	"github.com/hashicorp/memberlist"
)

const (
	keySize = 32
	// maxKeys is more than any rotation needs: what arrives is tried with each.
	maxKeys = 4
)

func checkKeys(keys [][]byte) error {
	if len(keys) == 0 || len(keys) > maxKeys {
		return errors.New("gossip: there must be one key, or up to four while they change")
	}
	for i, k := range keys {
		if len(k) != keySize {
			return errors.New("gossip: a key must be 32 bytes")
		}
		if slices.ContainsFunc(keys[:i], func(o []byte) bool { return bytes.Equal(o, k) }) {
			return errors.New("gossip: a key is there twice")
		}
	}
	return nil
}

// keyring is memberlist's, and the order in which it is changed.
type keyring struct {
	ring *memberlist.Keyring
	mu   sync.Mutex
}

func newKeyring(keys [][]byte) (*keyring, error) {
	if err := checkKeys(keys); err != nil {
		return nil, err
	}
	ring, err := memberlist.NewKeyring(keys, keys[0])
	return &keyring{ring: ring}, err
}

// set adds before it uses, and uses before it removes: at no moment is a message
// refused that the old keys or the new ones would take.
func (k *keyring) set(keys [][]byte) error {
	if err := checkKeys(keys); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, key := range keys {
		if err := k.ring.AddKey(key); err != nil {
			return err
		}
	}
	if err := k.ring.UseKey(keys[0]); err != nil {
		return err
	}
	for _, old := range slices.Clone(k.ring.GetKeys()) {
		if slices.ContainsFunc(keys, func(key []byte) bool { return bytes.Equal(key, old) }) {
			continue
		}
		if err := k.ring.RemoveKey(old); err != nil {
			return err
		}
	}
	return nil
}

func (k *keyring) fingerprints() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []string
	for _, key := range k.ring.GetKeys() {
		all = append(all, Fingerprint(key))
	}
	return all
}

// Fingerprint tells keys apart without telling them: the first 8 bytes of a
// digest, in hexadecimal.
func Fingerprint(key []byte) string {
	sum := sha256.Sum256(append([]byte("causeway gossip key\x00"), key...))
	return hex.EncodeToString(sum[:8])
}
