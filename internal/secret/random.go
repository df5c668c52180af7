package secret

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// Base62 returns n random letters and digits, 5.95 bits each: 32 of them, the
// length of a refresh token, hold 190 bits.
func Base62(n int) string { return spell(base62, n, random) }

// URLSafe returns n random bytes as unpadded base64url; 32 bytes make the 43
// characters of a device code.
func URLSafe(n int) string {
	b := make([]byte, n)
	random(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// Equal compares without telling by its duration how much of a guess is right.
// It does tell whether the lengths agree; those of our secrets are no secret.
func Equal[T ~string | ~[]byte](a, b T) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// random cannot fail: since Go 1.24 crypto/rand ends the process instead.
func random(b []byte) { _, _ = rand.Read(b) }

// spell writes n characters of alphabet from the bytes that fill supplies,
// block by block. Bytes beyond the last whole multiple of the alphabet are
// thrown away: folding them in would make its first letters likelier.
func spell(alphabet string, n int, fill func([]byte)) string {
	usable := 256 - 256%len(alphabet)
	out := make([]byte, 0, max(n, 0))
	var block [32]byte
	for len(out) < n {
		fill(block[:])
		for _, b := range block {
			if int(b) < usable && len(out) < n {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out)
}
