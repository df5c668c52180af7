package peer

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"causeway/tenants"
)

// Keys are the root keys that prove one site: the one its association pins, then
// the one it has announced or has not retired yet. None proves nobody.
type Keys []Key

// Key is one root key.
type Key struct {
	*ecdsa.PublicKey
	id keyID
}

// keyID is what a leaf says of the key that issued it (RFC 5280 §4.2.1.1).
type keyID [20]byte

// NewKeys leaves out what is no P-256 key.
func NewKeys(public ...*ecdsa.PublicKey) Keys {
	var keys Keys
	for _, p := range public {
		if p == nil || p.Curve != elliptic.P256() {
			continue
		}
		if sum, err := digest(p); err == nil {
			keys = append(keys, Key{p, keyID(sum[:])})
		}
	}
	return keys
}

// Fingerprint names a key to people and in the database: SHA-256 of its DER, in
// hexadecimal.
func Fingerprint(public *ecdsa.PublicKey) (string, error) {
	sum, err := digest(public)
	return hex.EncodeToString(sum[:]), err
}

func digest(public *ecdsa.PublicKey) (sum [sha256.Size]byte, err error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return sum, err
	}
	return sha256.Sum256(der), nil
}

// has reports whether the key with this id is one of them.
func (k Keys) has(id keyID) bool {
	for _, key := range k {
		if key.id == id {
			return true
		}
	}
	return false
}

// Same reports whether both are the same keys in the same order.
func (k Keys) Same(other Keys) bool {
	return slices.EqualFunc(k, other, func(a, b Key) bool { return a.id == b.id })
}

// Have reports whether public is one of them.
func (k Keys) Have(public *ecdsa.PublicKey) bool {
	return slices.ContainsFunc(k, func(key Key) bool { return key.Equal(public) })
}

// Prove reports whether a connection that ServerTLS or ClientTLS accepted would
// be accepted now: it shows a leaf of site, issued by one of these keys. Only the
// issuer's name is compared. Its signature was checked in the handshake, with the
// very key that the name is of.
func (k Keys) Prove(s *tls.ConnectionState, site tenants.SiteID, now time.Time) bool {
	named, ok := SiteOf(s)
	return ok && named == site && k.has(issuerOf(s.PeerCertificates[0])) && !over(*s, now)
}

func issuerOf(leaf *x509.Certificate) (id keyID) {
	copy(id[:], leaf.AuthorityKeyId) // another length is nobody's
	return id
}

// signed finds the key that signed leaf. A leaf has to name it: by the name it is
// judged later.
func (k Keys) signed(leaf *x509.Certificate) error {
	if len(k) == 0 {
		return errors.New("peer: no usable root key for the site")
	}
	for _, key := range k {
		if !bytes.Equal(key.id[:], leaf.AuthorityKeyId) {
			continue
		}
		root := &x509.Certificate{PublicKey: key.PublicKey, PublicKeyAlgorithm: x509.ECDSA}
		if err := root.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature); err != nil {
			return errors.Join(ErrUnknownKey, err)
		}
		return nil
	}
	return ErrUnknownKey
}

// ErrUnknownKey is a site that shows a key its association does not pin: it may
// have announced the key while we were apart, and its bundle will tell.
var ErrUnknownKey = errors.New("peer: the certificate is not signed by the site's root key")
