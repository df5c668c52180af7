package jws

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// Document is a token taken apart. Nothing in it is to be believed before
// Verify returned nil.
type Document struct {
	payload []byte
	signed  string
	sig     []byte
}

// header is exactly what we write. A reader refuses any other member: embedded
// and linked keys (jwk, jku, x5c, x5u) and critical extensions are all of them
// ways to let the sender choose how it is judged.
type header struct {
	Alg string `json:"alg"`
	Typ string `json:"typ"`
}

// Sign writes payload as JSON and signs it. typ keeps one kind of document from
// being taken for another that the same key signs.
func Sign(key *ecdsa.PrivateKey, typ string, payload any) (string, error) {
	if key == nil || key.Curve != elliptic.P256() {
		return "", errors.New("jws: a P-256 key is needed")
	}
	h, err := json.Marshal(header{Alg: jwt.SigningMethodES256.Alg(), Typ: typ})
	if err != nil {
		return "", err
	}
	p, err := json.Marshal(payload)
	if err != nil {
		return "", err
	}
	signed := encoding.EncodeToString(h) + "." + encoding.EncodeToString(p)
	sig, err := jwt.SigningMethodES256.Sign(signed, key)
	if err != nil {
		return "", err
	}
	return signed + "." + encoding.EncodeToString(sig), nil
}

// Parse takes a token of at most limit bytes apart and checks everything that
// needs no key.
func Parse(token, typ string, limit int) (Document, error) {
	if len(token) > limit {
		return Document{}, errors.New("jws: too long")
	}
	head, rest, ok := strings.Cut(token, ".")
	body, tail, ok2 := strings.Cut(rest, ".")
	if !ok || !ok2 { // a fourth would not decode
		return Document{}, errors.New("jws: not three parts")
	}
	h, err := decode(head)
	if err != nil {
		return Document{}, err
	}
	if err := checkHeader(h, typ); err != nil {
		return Document{}, err
	}
	d := Document{signed: token[:len(head)+1+len(body)]}
	if d.payload, err = decode(body); err != nil {
		return Document{}, err
	}
	if d.sig, err = decode(tail); err != nil {
		return Document{}, err
	}
	return d, checkObject(d.payload)
}

func checkHeader(data []byte, typ string) error {
	if err := checkObject(data); err != nil {
		return err
	}
	var members map[string]any
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	if len(members) != 2 || members["alg"] != jwt.SigningMethodES256.Alg() || members["typ"] != typ {
		return fmt.Errorf("jws: the header must be ES256 and %s and no more", typ)
	}
	return nil
}

// Verify checks the signature.
func (d Document) Verify(key *ecdsa.PublicKey) error {
	if key == nil || key.Curve != elliptic.P256() {
		return errors.New("jws: a P-256 key is needed")
	}
	return jwt.SigningMethodES256.Verify(d.signed, d.sig, key)
}

// Decode fills v from the payload. Members v does not know are left out, so that
// a newer site may say more.
func (d Document) Decode(v any) error { return json.Unmarshal(d.payload, v) }

// encoding is strict about trailing bits: one document, one spelling.
var encoding = base64.RawURLEncoding.Strict()

func decode(s string) ([]byte, error) {
	// The decoder, even the strict one, skips line ends.
	if strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("jws: line end in base64")
	}
	return encoding.DecodeString(s)
}
