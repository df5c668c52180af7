package jws

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"

	"github.com/golang-jwt/jwt/v5"

	"causeway/internal/jose"
)

// Document is a token taken apart. Nothing in it is to be believed before
// Verify returned nil.
type Document struct{ token jose.Token }

var method = jwt.SigningMethodES256

// Sign writes payload as JSON and signs it. typ keeps one kind of document from
// being taken for another that the same key signs.
func Sign(key *ecdsa.PrivateKey, typ string, payload any) (string, error) {
	if key == nil || key.Curve != elliptic.P256() {
		return "", errors.New("jws: a P-256 key is needed")
	}
	h, err := json.Marshal(header(typ))
	if err != nil {
		return "", err
	}
	p, err := json.Marshal(payload)
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode(h) + "." + encode(p)
	sig, err := method.Sign(signed, key)
	if err != nil {
		return "", err
	}
	return signed + "." + encode(sig), nil
}

// header is exactly what a document has.
func header(typ string) map[string]string { return map[string]string{"alg": method.Alg(), "typ": typ} }

// Parse takes a token of at most limit bytes apart and checks everything that
// needs no key.
func Parse(token, typ string, limit int) (Document, error) {
	t, err := jose.Parse(token, limit)
	if err != nil {
		return Document{}, err
	}
	return Document{t}, t.CheckHeader(header(typ))
}

// Verify checks the signature.
func (d Document) Verify(key *ecdsa.PublicKey) error {
	if key == nil || key.Curve != elliptic.P256() {
		return errors.New("jws: a P-256 key is needed")
	}
	return d.token.Verify(method, key)
}

// Decode fills v from the payload. Members v does not know are left out, so that
// a newer site may say more.
func (d Document) Decode(v any) error { return d.token.Decode(v) }
