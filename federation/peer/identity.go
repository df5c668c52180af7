package peer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
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
	// LeafLife bounds how long a stolen leaf key can be used. A leaf is renewed
	// at half of it, so that a slow clock at the peer still sees a valid one.
	LeafLife = 24 * time.Hour
	// skew is how far a peer's clock may be behind ours when a leaf is new.
	skew = 5 * time.Minute
)

// Identity is this site towards its peers. The root key signs leaves and never
// takes part in a handshake.
type Identity struct {
	site tenants.SiteID
	root func() *ecdsa.PrivateKey
	now  func() time.Time

	mu     sync.Mutex
	leaf   *tls.Certificate
	issuer *ecdsa.PrivateKey // of leaf
	renew  time.Time
}

// NewIdentity makes the identity of site. root is the root key that signs now,
// from memory: each handshake asks.
func NewIdentity(site tenants.SiteID, root func() *ecdsa.PrivateKey, now func() time.Time) (*Identity, error) {
	if _, err := tenants.ParseUUID(string(site)); err != nil {
		return nil, fmt.Errorf("peer: site id: %w", err)
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
	now, root := id.now(), id.root()
	if id.leaf != nil && now.Before(id.renew) && root == id.issuer {
		return id.leaf, nil
	}
	if root == nil || root.Curve != elliptic.P256() {
		return nil, errors.New("peer: the site root key must be P-256")
	}
	leaf, err := id.issue(root, now)
	if err != nil {
		return nil, err
	}
	id.leaf, id.issuer, id.renew = leaf, root, now.Add(LeafLife/2)
	return leaf, nil
}

// issue signs a leaf for a new key. Only the leaf goes over the wire: the peer
// holds the root key already, and nothing else about a root could count.
func (id *Identity) issue(root *ecdsa.PrivateKey, now time.Time) (*tls.Certificate, error) {
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
		NotAfter:              now.Add(LeafLife),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		URIs:                  []*url.URL{name},
		BasicConstraintsValid: true,
		SignatureAlgorithm:    x509.ECDSAWithSHA256,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer(root, name), key.Public(), root)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: parsed}, nil
}

// issuer stands for the root in a leaf's issuer fields: peers know by its name
// which of the site's keys to check the leaf with.
func issuer(root *ecdsa.PrivateKey, name *url.URL) *x509.Certificate {
	c := &x509.Certificate{Subject: pkix.Name{CommonName: name.String() + " root"}}
	for _, key := range NewKeys(&root.PublicKey) {
		c.SubjectKeyId = key.id[:]
	}
	return c
}

func siteURI(site tenants.SiteID) (*url.URL, error) { return url.Parse(tenants.URN("site", site)) }
