package jose

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

func signed(t testing.TB, key *ecdsa.PrivateKey, header, payload string) string {
	t.Helper()
	text := encoding.EncodeToString([]byte(header)) + "." + encoding.EncodeToString([]byte(payload))
	sig, err := jwt.SigningMethodES256.Sign(text, key)
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + encoding.EncodeToString(sig)
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestCheckHeader_R5_IsExact(t *testing.T) {
	key := newKey(t)
	want := map[string]string{"alg": "ES256", "kid": "k", "typ": "x+jwt"}
	for header, ok := range map[string]bool{
		`{"alg":"ES256","kid":"k","typ":"x+jwt"}`:                        true,
		`{"alg":"ES256","kid":"k","typ":"x+jwt","crit":""}`:              false,
		`{"alg":"ES256","kid":"k","typ":"x+jwt","jku":"https://x.test"}`: false,
		`{"alg":"ES256","kid":null,"typ":"x+jwt"}`:                       false,
		`{"alg":"ES256","typ":"x+jwt"}`:                                  false,
		`{"alg":"RS256","kid":"k","typ":"x+jwt"}`:                        false,
		`{"alg":"ES256","kid":"j","typ":"x+jwt"}`:                        false,
	} {
		token, err := Parse(signed(t, key, header, `{}`), 4096)
		if err != nil {
			t.Fatal(err)
		}
		if got := token.CheckHeader(want) == nil; got != ok {
			t.Errorf("%s: taken %v", header, got)
		}
	}
	for _, header := range []string{
		`{"alg":"ES256","kid":"k","typ":"x+jwt","crit":["exp"]}`, // no text
		`{"alg":"ES256","kid":"k","typ":"x+jwt","kid":"j"}`,
		`{"alg":"ES256","kid":"k","typ":"x+jwt","Kid":"j"}`,
		`{"alg":"ES256","kid":"k","typ":"x+jwt","x5t#S256":"j"}`,
	} {
		if _, err := Parse(signed(t, key, header, `{}`), 4096); err == nil {
			t.Errorf("%s is read", header)
		}
	}
}

// FuzzParse: whatever is read has one spelling, and members that every reader
// understands alike.
func FuzzParse(f *testing.F) {
	key := newKey(f)
	for _, p := range []string{`{"a":"b"}`, `{"a":"b","a":1}`, `{"A":{}}`, `[`, ``} {
		f.Add(signed(f, key, `{"alg":"ES256"}`, p))
	}
	other := newKey(f)
	f.Fuzz(func(t *testing.T, text string) {
		token, err := Parse(text, 4096)
		if err != nil {
			return
		}
		if token.Verify(jwt.SigningMethodES256, &other.PublicKey) == nil {
			t.Fatal("a signature nobody made")
		}
		again := token.signed + "." + encoding.EncodeToString(token.sig)
		if again != text || strings.Count(text, ".") != 2 {
			t.Fatalf("%q is spelled %q, too", text, again)
		}
		var members map[string]json.RawMessage
		if err := token.Decode(&members); err != nil {
			t.Fatalf("accepted, but not readable: %v", err)
		}
		for name := range members {
			if name != strings.ToLower(name) {
				t.Fatalf("member %q", name)
			}
		}
	})
}
