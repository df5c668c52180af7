package peer

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"errors"

	"causeway/federation/jws"
	"causeway/tenants"
)

const successionType = "cw-succession+jwt"

type successionWire struct {
	Site string `json:"site"`
	Next string `json:"next"`
}

// SignSuccession is what one root key of a site says about the next, for sites
// that were away while it was announced.
func SignSuccession(root *ecdsa.PrivateKey, site tenants.SiteID, next *ecdsa.PublicKey) (string, error) {
	text, err := encodeKey(next)
	if err != nil {
		return "", err
	}
	return jws.Sign(root, successionType, successionWire{Site: string(site), Next: text})
}

// succeeds reports whether one of these keys says that next follows it.
func (k Keys) succeeds(token string, site tenants.SiteID, next *ecdsa.PublicKey) bool {
	doc, err := jws.Parse(token, successionType, maxBundle)
	if err != nil || !k.signedAny(doc) {
		return false
	}
	var w successionWire
	if err := doc.Decode(&w); err != nil || w.Site != string(site) {
		return false
	}
	named, err := decodeKey(w.Next)
	return err == nil && named != nil && named.Equal(next)
}

func (k Keys) signedAny(doc jws.Document) bool {
	for _, key := range k {
		if doc.Verify(key.PublicKey) == nil {
			return true
		}
	}
	return false
}

// encodeKey writes a key as DER in base64 (RFC 4648 §5), and none as nothing.
func encodeKey(public *ecdsa.PublicKey) (string, error) {
	if public == nil {
		return "", nil
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	return base64.RawURLEncoding.EncodeToString(der), err
}

func decodeKey(text string) (*ecdsa.PublicKey, error) {
	if text == "" {
		return nil, nil
	}
	der, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, err
	}
	ec, ok := key.(*ecdsa.PublicKey)
	if !ok || len(NewKeys(ec)) == 0 {
		return nil, errors.New("peer: a root key is an EC key on P-256")
	}
	return ec, nil
}
