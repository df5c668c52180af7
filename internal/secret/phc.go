package secret

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// errHash quotes nothing of the stored hash.
var errHash = errors.New("secret: the stored password hash is not one of ours")

// hash is an argon2id hash with what it takes to compute it again.
type hash struct {
	memory  uint32 // KiB
	passes  uint32
	threads uint8
	salt    []byte
	sum     []byte
}

// Parameters of new hashes: OWASP's second choice for argon2id. Memory is what
// makes guessing dear, and 19 MiB is what a small cell can give several people
// at once.
const (
	newMemory   = 19 * 1024
	newPasses   = 2
	newThreads  = 1
	newSaltSize = 16
	newSumSize  = 32
)

// derive computes the sum of password with h's parameters.
func (h hash) derive(password Text) []byte {
	return argon2.IDKey([]byte(password.Reveal()), h.salt, h.passes, h.memory, h.threads, uint32(len(h.sum)))
}

// encode writes the PHC form, which other tools read too. It is not called String:
// a hash in a log is a gift to whoever guesses passwords.
func (h hash) encode() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.passes, h.threads,
		base64.RawStdEncoding.EncodeToString(h.salt), base64.RawStdEncoding.EncodeToString(h.sum))
}

// parseHash reads the PHC form. Whoever can write to the database must not be
// able to make one login cost gigabytes or minutes, nor turn the hash into a
// short one that many passwords fit, so every parameter is bounded.
func parseHash(s string) (hash, error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return hash{}, errHash
	}
	var h hash
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.passes, &h.threads); err != nil {
		return hash{}, errHash
	}
	var err error
	if h.salt, err = base64.RawStdEncoding.Strict().DecodeString(parts[4]); err != nil {
		return hash{}, errHash
	}
	if h.sum, err = base64.RawStdEncoding.Strict().DecodeString(parts[5]); err != nil {
		return hash{}, errHash
	}
	if !h.bounded() || h.encode() != s { // one spelling only: Sscanf is lenient
		return hash{}, errHash
	}
	return h, nil
}

func (h hash) bounded() bool {
	within := func(n, low, high int) bool { return low <= n && n <= high }
	return within(int(h.memory), 8*1024, 64*1024) &&
		within(int(h.passes), 1, 8) &&
		within(int(h.threads), 1, 4) &&
		within(len(h.salt), 16, 64) &&
		within(len(h.sum), 32, 64)
}
