package jose

import (
	"fmt"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// What was read of one header says nothing of another, nobody without a key has one
// remembered, and there are never many (R5, R13).
func TestHeaders_R5_R13_AreThoseOfVerifiedTokens(t *testing.T) {
	key, other := newKey(t), newKey(t)
	for i := range maxHeaders + 10 {
		header := fmt.Sprintf(`{"alg":"ES256","kid":"k%d","typ":"x"}`, i)
		for _, by := range []struct {
			verified bool
			text     string
		}{{false, signed(t, other, header, `{}`)}, {true, signed(t, key, header, `{}`)}, {true, signed(t, key, header, `{}`)}} {
			token, err := Parse(by.text, 1<<10)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := token.KeyID(), fmt.Sprintf("k%d", i); got != want || TypeOf(by.text) != "x" {
				t.Fatalf("key id %q, want %q", got, want)
			}
			if err := token.Verify(jwt.SigningMethodES256, &key.PublicKey); (err == nil) != by.verified {
				t.Fatal(err)
			}
			if _, known := headers.read[token.head]; known != by.verified {
				t.Fatalf("%s is remembered: %v, verified: %v", header, known, by.verified)
			}
		}
		if n := len(headers.read); n > maxHeaders {
			t.Fatalf("%d headers are remembered", n)
		}
	}
}
