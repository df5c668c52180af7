package assertion

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"causeway/federation/jws"
)

// reuse is how long an introduction is used. What is left of its life is for the
// last request's way and for clocks that differ.
const reuse = 20 * time.Second

// Minter makes assertions. It remembers introductions, so that a signature is made
// once for all that a session asks of an organization within seconds. Its methods
// may be called at the same time.
type Minter struct {
	made *lru.Cache[Claims, *introduction]
}

// introduction is signed once and has a key for tickets.
type introduction struct {
	text string
	hash [sha256.Size]byte
	key  [keySize]byte
	by   *ecdsa.PrivateKey
	at   time.Time
}

// NewMinter remembers up to size introductions, of about a kilobyte each.
func NewMinter(size int) (*Minter, error) {
	made, err := lru.New[Claims, *introduction](size)
	return &Minter{made}, err
}

// Mint makes the assertion for one request, signed with the key of the
// organization in Claims.Src. It refuses what Verify would refuse at the other
// site, where the reason is harder to see.
func (m *Minter) Mint(key *ecdsa.PrivateKey, c Claims) (string, error) {
	whose := c
	whose.Method, whose.RequestURI, whose.Body, whose.ID, whose.IssuedAt = "", "", "", "", time.Time{}
	in, ok := m.made.Get(whose)
	if !ok || in.by != key || c.IssuedAt.Before(in.at) || c.IssuedAt.Sub(in.at) >= reuse {
		var err error
		if in, err = introduce(key, c); err != nil {
			return "", err
		}
		m.made.Add(whose, in)
	}
	return in.token(c)
}

// Mint makes an assertion with an introduction of its own.
func Mint(key *ecdsa.PrivateKey, c Claims) (string, error) {
	in, err := introduce(key, c)
	if err != nil {
		return "", err
	}
	return in.token(c)
}

func introduce(key *ecdsa.PrivateKey, c Claims) (*introduction, error) {
	if c.IssuedAt.IsZero() {
		return nil, errors.New("assertion: no issue time")
	}
	w := newWire(c, random(keySize))
	if err := w.check(); err != nil {
		return nil, fmt.Errorf("assertion: %w", err)
	}
	text, err := jws.Sign(key, typ, w)
	if err != nil {
		return nil, err
	}
	in := &introduction{text: text, hash: sha256.Sum256([]byte(text)), by: key, at: c.IssuedAt}
	decode(in.key[:], w.Key) // which the check has read
	return in, nil
}

func (in *introduction) token(c Claims) (string, error) {
	if c.ID == "" {
		c.ID = newID()
	}
	switch {
	case c.Method == "" || strings.Contains(c.Method+c.RequestURI, "\n"):
		return "", errors.New("assertion: no request could have this method and URI")
	case c.Body == "" || strings.Contains(c.Body, "."):
		return "", errors.New("assertion: no body")
	case !decode(new([idSize]byte)[:], c.ID):
		return "", errors.New("assertion: the identifier is not 128 bits")
	}
	return in.text + separator + seal(in.key[:], in.hash, c), nil
}
