package peer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"sync"
	"time"

	"causeway/tenants"
)

const (
	// leafLife bounds how long a stolen leaf key can be used. A leaf is renewed
	// at half of it, so that a slow clock at the peer still sees a valid one.
	leafLife = 24 * time.Hour
	// skew is how far a peer's clock may be behind ours when a leaf is new.
	skew = 5 * time.Minute
)

// Identity is this site towards its peers. The root key signs leaves and never
// takes part in a handshake.
type Identity struct {
	site tenants.SiteID
	root *ecdsa.PrivateKey
	now  func() time.Time

	mu    sync.Mutex
	leaf  *tls.Certificate
	renew time.Time
}

// NewIdentity makes the identity of site from its root key.
func NewIdentity(site tenants.SiteID, root *ecdsa.PrivateKey, now func() time.Time) (*Identity, error) {
	if _, err := tenants.ParseUUID(string(site)); err != nil {
		return nil, fmt.Errorf("peer: site id: %w", err)
	}
	if root == nil || root.Curve != elliptic.P256() {
		return nil, errors.New("peer: the site root key must be P-256")
	}
	id := &Identity{site: site, root: root, now: now}
	_, err := id.certificate()
	return id, err
}

// Site is the site this identity proves.
func (id *Identity) Site() tenants.SiteID { return id.site }

// certificate is the current leaf. A handshake that finds it past half its life
// makes the next one: nothing has to run in the background.
func (id *Identity) certificate() (*tls.Certificate, error) {
	id.mu.Lock()
	defer id.mu.Unlock()
	now := id.now()
	if id.leaf != nil && now.Before(id.renew) {
		return id.leaf, nil
	}
	leaf, err := id.issue(now)
	if err != nil {
		return nil, err
	}
	id.leaf, id.renew = leaf, now.Add(leafLife/2)
	return leaf, nil
}

// issue signs a leaf for a new key. Only the leaf goes over the wire: the peer
// holds the root key already, and nothing else about a root could count.
func (id *Identity) issue(now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	name, err := siteURI(id.site)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: name.String()},
		NotBefore:             now.Add(-skew),
		NotAfter:              now.Add(leafLife),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		URIs:                  []*url.URL{name},
		BasicConstraintsValid: true,
		SignatureAlgorithm:    x509.ECDSAWithSHA256,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, id.issuer(name), key.Public(), id.root)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: parsed}, nil
}

// issuer stands for the root in a leaf's issuer fields.
func (id *Identity) issuer(name *url.URL) *x509.Certificate {
	spki, err := x509.MarshalPKIXPublicKey(id.root.Public())
	if err != nil {
		spki = nil // cannot be: the curve was checked; the field is a convenience
	}
	sum := sha256.Sum256(spki)
	return &x509.Certificate{
		Subject:      pkix.Name{CommonName: name.String() + " root"},
		SubjectKeyId: sum[:20],
	}
}

func siteURI(site tenants.SiteID) (*url.URL, error) { return url.Parse(tenants.URN("site", site)) }
