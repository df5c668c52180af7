package jose

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// Token is a compact JWS taken apart. Nothing in it is to be believed before
// Verify returned nil.
type Token struct {
	head    string // as it was written
	header  map[string]string
	payload []byte
	signed  string
	sig     []byte
}

// Parse takes a token of at most limit bytes apart and checks everything that
// needs no key.
func Parse(token string, limit int) (Token, error) {
	if len(token) > limit {
		return Token{}, errors.New("jose: too long")
	}
	head, rest, ok := strings.Cut(token, ".")
	body, tail, ok2 := strings.Cut(rest, ".")
	if !ok || !ok2 { // a fourth would not decode
		return Token{}, errors.New("jose: not three parts")
	}
	t := Token{head: head, signed: token[:len(head)+1+len(body)]}
	var err error
	if t.header, err = readHeader(head); err != nil {
		return Token{}, err
	}
	if t.payload, err = decode(body); err != nil {
		return Token{}, err
	}
	if t.sig, err = decode(tail); err != nil {
		return Token{}, err
	}
	return t, checkObject(t.payload)
}

// CheckHeader wants the header to be exactly this. Any other member is refused:
// embedded and linked keys (jwk, jku, x5c, x5u) and critical extensions are all of
// them ways to let the sender choose how it is judged.
func (t Token) CheckHeader(want map[string]string) error {
	if !maps.Equal(t.header, want) {
		return fmt.Errorf("jose: the header is not %s of the right type and key, and no more", want["alg"])
	}
	return nil
}

// KeyID is what the header calls the key. It finds a key among the reader's own
// and proves nothing.
func (t Token) KeyID() string { return t.header["kid"] }

// Verify checks the signature. The method belongs to the key; what the header
// calls it is compared by CheckHeader.
func (t Token) Verify(method jwt.SigningMethod, key crypto.PublicKey) error {
	err := method.Verify(t.signed, t.sig, key)
	if err == nil {
		remember(t.head, t.header)
	}
	return err
}

// Decode fills v from the payload. Members v does not know are left out, so that
// a newer writer may say more.
func (t Token) Decode(v any) error { return json.Unmarshal(t.payload, v) }

// encoding is strict about trailing bits: one document, one spelling.
var encoding = base64.RawURLEncoding.Strict()

func decode(s string) ([]byte, error) {
	// The decoder, even the strict one, skips line ends.
	if strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("jose: line end in base64")
	}
	return encoding.DecodeString(s)
}
