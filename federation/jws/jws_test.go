package jws

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

func newKey(t testing.TB, c elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(c, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// sign makes a well-signed token of whatever bytes.
func sign(t testing.TB, key *ecdsa.PrivateKey, header, payload string) string {
	t.Helper()
	enc := base64.RawURLEncoding.EncodeToString
	signed := enc([]byte(header)) + "." + enc([]byte(payload))
	sig, err := jwt.SigningMethodES256.Sign(signed, key)
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + enc(sig)
}

const goodHeader = `{"alg":"ES256","typ":"x+jwt"}`

// open does all that a reader does.
func open(token string, key *ecdsa.PublicKey) (string, error) {
	doc, err := Parse(token, "x+jwt", 4096)
	if err != nil {
		return "", err
	}
	if err := doc.Verify(key); err != nil {
		return "", err
	}
	var v struct {
		A string `json:"a"`
	}
	return v.A, doc.Decode(&v)
}

func TestRoundTrip_R5(t *testing.T) {
	key := newKey(t, elliptic.P256())
	token, err := Sign(key, "x+jwt", map[string]string{"a": "b"})
	if err != nil {
		t.Fatal(err)
	}
	if a, err := open(token, &key.PublicKey); a != "b" || err != nil {
		t.Fatal(a, err)
	}
	if _, err := open(token, &newKey(t, elliptic.P256()).PublicKey); err == nil {
		t.Fatal("another key's signature counts")
	}
	if _, err := open(token, &newKey(t, elliptic.P384()).PublicKey); err == nil {
		t.Fatal("another curve counts")
	}
	if _, err := open(token, nil); err == nil {
		t.Fatal("no key counts")
	}
	if _, err := Sign(newKey(t, elliptic.P384()), "x+jwt", nil); err == nil {
		t.Fatal("signed on another curve")
	}
}

func TestStrictReading_R5(t *testing.T) {
	key := newKey(t, elliptic.P256())
	good := sign(t, key, goodHeader, `{"a":"b","more":[{"c":1}]}`)
	if _, err := open(good, &key.PublicKey); err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(good, ".")
	body, sig, _ := strings.Cut(rest, ".")
	for name, token := range map[string]string{
		"alg none":              sign(t, key, `{"alg":"none","typ":"x+jwt"}`, `{}`),
		"alg HS256":             sign(t, key, `{"alg":"HS256","typ":"x+jwt"}`, `{}`),
		"other typ":             sign(t, key, `{"alg":"ES256","typ":"jwt"}`, `{}`),
		"typ in capitals":       sign(t, key, `{"alg":"ES256","typ":"X+JWT"}`, `{}`),
		"no typ":                sign(t, key, `{"alg":"ES256"}`, `{}`),
		"crit":                  sign(t, key, `{"alg":"ES256","typ":"x+jwt","crit":["b64"],"b64":false}`, `{}`),
		"jwk":                   sign(t, key, `{"alg":"ES256","typ":"x+jwt","jwk":{}}`, `{}`),
		"header member twice":   sign(t, key, `{"alg":"none","alg":"ES256","typ":"x+jwt"}`, `{}`),
		"header member's case":  sign(t, key, `{"Alg":"ES256","typ":"x+jwt"}`, `{}`),
		"header not an object":  sign(t, key, `"ES256"`, `{}`),
		"member twice":          sign(t, key, goodHeader, `{"a":"b","a":"c"}`),
		"member twice, spelled": sign(t, key, goodHeader, `{"a":"b","`+"\\"+`u0061":"c"}`),
		"member's case":         sign(t, key, goodHeader, `{"A":"b"}`),
		"member's long s":       sign(t, key, goodHeader, `{"ſub":"b"}`),
		"nested twice":          sign(t, key, goodHeader, `{"a":"b","n":[{"c":1,"c":2}]}`),
		"too deep":              sign(t, key, goodHeader, `{"a":"b","n":[[[[[1]]]]]}`),
		"not UTF-8":             sign(t, key, goodHeader, "{\"a\":\"\xff\"}"),
		"an array":              sign(t, key, goodHeader, `[]`),
		"two values":            sign(t, key, goodHeader, `{}{}`),
		"nothing":               sign(t, key, goodHeader, ``),
		"too long":              sign(t, key, goodHeader, `{"a":"`+strings.Repeat("x", 4096)+`"}`),
		"padding":               good + "=",
		"line end":              head + ".\n" + body + "." + sig,
		"line end in signature": head + "." + body + "." + sig[:8] + "\r\n" + sig[8:],
		"loose bits":            good[:len(good)-1] + string(good[len(good)-1]+1),
		"four parts":            good + ".",
		"two parts":             head + "." + body,
		"no signature":          head + "." + body + ".",
		"plain alphabet":        head + "." + body + "." + strings.NewReplacer("-", "+", "_", "/").Replace(sig) + "+",
	} {
		if a, err := open(token, &key.PublicKey); err == nil {
			t.Errorf("%s: read %q", name, a)
		}
	}
}

func FuzzParse(f *testing.F) {
	key := newKey(f, elliptic.P256())
	for _, p := range []string{`{"a":"b"}`, `{"a":"b","a":1}`, `{"A":{}}`, `[`, ``} {
		f.Add(sign(f, key, goodHeader, p))
	}
	other := newKey(f, elliptic.P256())
	f.Fuzz(func(t *testing.T, token string) {
		doc, err := Parse(token, "x+jwt", 4096)
		if err != nil {
			return
		}
		if doc.Verify(&other.PublicKey) == nil {
			t.Fatal("a signature nobody made")
		}
		var m map[string]any
		if err := doc.Decode(&m); err != nil {
			t.Fatalf("accepted, but not readable: %v", err)
		}
		for name := range m {
			if name != strings.ToLower(name) {
				t.Fatalf("member %q", name)
			}
		}
	})
}
