package peer

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/url"
	"testing"
	"time"

	"causeway/tenants"
)

// handshake connects two configurations and returns what each side saw.
func handshake(t *testing.T, client, server *tls.Config) (site tenants.SiteID, clientErr, serverErr error) {
	t.Helper()
	a, b := connected(t)
	defer a.Close()
	defer b.Close()
	deadline := time.Now().Add(5 * time.Second)
	a.SetDeadline(deadline)
	b.SetDeadline(deadline)
	done := make(chan struct{})
	srv := tls.Server(b, server)
	go func() {
		defer close(done)
		if serverErr = srv.HandshakeContext(t.Context()); serverErr != nil {
			b.Close()
			return
		}
		state := srv.ConnectionState()
		site, _ = SiteOf(&state)
		srv.Write([]byte("."))
	}()
	cl := tls.Client(a, client)
	if clientErr = cl.HandshakeContext(t.Context()); clientErr != nil {
		a.Close()
	} else {
		_, clientErr = io.ReadFull(cl, make([]byte, 1)) // in TLS 1.3 the client's refusal shows here
	}
	<-done
	return site, clientErr, serverErr
}

// connected is a TCP connection's two ends; net.Pipe would block where both ends
// refuse each other at once.
func connected(t *testing.T) (a, b net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if a, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if b, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	return a, b
}

func nameOf(root *ecdsa.PrivateKey) []byte { return NewKeys(&root.PublicKey)[0].id[:] }

// leafOf makes a certificate that differs from ours in one thing.
func leafOf(t *testing.T, signer any, change func(*x509.Certificate)) *tls.Certificate {
	t.Helper()
	key := newKey(t)
	uri, _ := url.Parse("urn:vcloud:site:" + string(west))
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "x"},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		URIs:                  []*url.URL{uri},
		BasicConstraintsValid: true,
	}
	if root, ok := signer.(*ecdsa.PrivateKey); ok {
		c.AuthorityKeyId = nameOf(root)
	}
	if change != nil {
		change(c)
	}
	der, err := x509.CreateCertificate(rand.Reader, c, &x509.Certificate{Subject: pkix.Name{CommonName: "root"}}, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestOnlyThePinnedSitePasses_R10 shows each bad leaf to both ends.
func TestOnlyThePinnedSitePasses_R10(t *testing.T) {
	eastRoot, westRoot, otherRoot := newKey(t), newKey(t), newKey(t)
	_, edKey, _ := ed25519.GenerateKey(rand.Reader)
	id := newIdentity(t, east, eastRoot, time.Now)
	uris := func(ss ...string) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.URIs = nil
			for _, s := range ss {
				u, err := url.Parse(s)
				if err != nil {
					t.Fatal(err)
				}
				c.URIs = append(c.URIs, u)
			}
		}
	}
	const urn = "urn:vcloud:site:"
	for _, tt := range []struct {
		name   string
		leaf   *tls.Certificate
		passes bool
	}{
		{"ours", leafOf(t, westRoot, nil), true},
		{"another root", leafOf(t, otherRoot, nil), false},
		{"another root under the pinned one's name", leafOf(t, otherRoot, func(c *x509.Certificate) { c.AuthorityKeyId = nameOf(westRoot) }), false},
		{"the pinned root under another's name", leafOf(t, westRoot, func(c *x509.Certificate) { c.AuthorityKeyId = nameOf(otherRoot) }), false},
		{"the pinned root without a name", leafOf(t, westRoot, func(c *x509.Certificate) { c.AuthorityKeyId = nil }), false},
		{"signed by a root of another kind", leafOf(t, edKey, nil), false},
		{"another site", leafOf(t, westRoot, uris(urn+string(east))), false},
		{"no site", leafOf(t, westRoot, uris()), false},
		{"two sites", leafOf(t, westRoot, uris(urn+string(west), urn+string(east))), false},
		{"an organization", leafOf(t, westRoot, uris("urn:vcloud:org:"+string(west))), false},
		{"capitals", leafOf(t, westRoot, uris("urn:vcloud:site:22222222-2222-4222-8222-22222222222A")), false},
		{"name only in DNS", leafOf(t, westRoot, func(c *x509.Certificate) { c.URIs = nil; c.DNSNames = []string{string(west)} }), false},
		{"run out", leafOf(t, westRoot, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Second) }), false},
		{"not yet", leafOf(t, westRoot, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }), false},
		{"for years", leafOf(t, westRoot, func(c *x509.Certificate) { c.NotAfter = time.Now().AddDate(1, 0, 0) }), false},
		{"server only", leafOf(t, westRoot, func(c *x509.Certificate) { c.ExtKeyUsage = c.ExtKeyUsage[:1] }), false},
		{"client only", leafOf(t, westRoot, func(c *x509.Certificate) { c.ExtKeyUsage = c.ExtKeyUsage[1:] }), false},
		{"any usage", leafOf(t, westRoot, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }), false},
		{"an authority", leafOf(t, westRoot, func(c *x509.Certificate) { c.IsCA = true; c.KeyUsage |= x509.KeyUsageCertSign }), false},
		{"critical extension", leafOf(t, westRoot, func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: []int{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}
		}), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			shows := func() *tls.Config {
				return &tls.Config{Certificates: []tls.Certificate{*tt.leaf}, InsecureSkipVerify: true,
					ClientAuth: tls.RequireAnyClientCert, NextProtos: []string{"h2"}}
			}
			_, clientErr, _ := handshake(t, id.ClientTLS(west, NewKeys(&westRoot.PublicKey)), shows())
			if (clientErr == nil) != tt.passes {
				t.Errorf("client: %v", clientErr)
			}
			site, _, serverErr := handshake(t, shows(), id.ServerTLS(knows(west, &westRoot.PublicKey)))
			if (serverErr == nil) != tt.passes || tt.passes && site != west {
				t.Errorf("server: %v, site %q", serverErr, site)
			}
		})
	}
}

func TestBothEndsProveThemselves_R10(t *testing.T) {
	eastRoot, westRoot := newKey(t), newKey(t)
	e, w := newIdentity(t, east, eastRoot, time.Now), newIdentity(t, west, westRoot, time.Now)
	toWest := e.ClientTLS(west, NewKeys(&westRoot.PublicKey))
	allowsEast := w.ServerTLS(knows(east, &eastRoot.PublicKey))

	if site, c, s := handshake(t, toWest, allowsEast); c != nil || s != nil || site != east {
		t.Fatal(c, s, site)
	}
	nobody := func(tenants.SiteID) Keys { return nil }
	if _, _, s := handshake(t, toWest, w.ServerTLS(nobody)); s == nil {
		t.Error("a site without an association came in")
	}
	anonymous := toWest.Clone()
	anonymous.GetClientCertificate = nil
	if _, _, s := handshake(t, anonymous, allowsEast); s == nil {
		t.Error("nobody came in")
	}
	old := toWest.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	if _, _, s := handshake(t, old, allowsEast); s == nil {
		t.Error("TLS 1.2 came in")
	}
	if _, c, _ := handshake(t, e.ClientTLS(east, NewKeys(&eastRoot.PublicKey)), e.ServerTLS(knows(east, &eastRoot.PublicKey))); c == nil {
		t.Error("a site is its own peer")
	}
	asEast := toWest.Clone()
	asEast.VerifyConnection = nil
	if _, _, s := handshake(t, asEast, e.ServerTLS(knows(east, &eastRoot.PublicKey))); s == nil {
		t.Error("somebody with this site's own key came in as a peer")
	}
	if _, c, _ := handshake(t, e.ClientTLS(west, nil), allowsEast); c == nil {
		t.Error("connected without a pinned key")
	}
}

// TestResumptionChecksAgain_R10: a session remembered by a client must not
// outlive the association.
func TestResumptionChecksAgain_R10(t *testing.T) {
	eastRoot, westRoot := newKey(t), newKey(t)
	e, w := newIdentity(t, east, eastRoot, time.Now), newIdentity(t, west, westRoot, time.Now)
	client := e.ClientTLS(west, NewKeys(&westRoot.PublicKey))
	client.ClientSessionCache = tls.NewLRUClientSessionCache(8)
	client.ServerName = "west"
	associated := true
	server := w.ServerTLS(func(id tenants.SiteID) Keys {
		if !associated {
			return nil
		}
		return knows(east, &eastRoot.PublicKey)(id)
	})
	server.SessionTicketsDisabled = false // even then
	for range 2 {
		if _, c, s := handshake(t, client, server); c != nil || s != nil {
			t.Fatal(c, s)
		}
	}
	associated = false
	if _, _, s := handshake(t, client, server); s == nil {
		t.Fatal("a resumed session passed without an association")
	}
}

func TestLeafIsRenewedBeforeHalfLife_R10(t *testing.T) {
	c := newClock()
	id := newIdentity(t, east, newKey(t), c.now)
	first, err := id.certificate()
	if err != nil {
		t.Fatal(err)
	}
	if life := first.Leaf.NotAfter.Sub(c.now()); life > LeafLife || life < LeafLife-time.Second {
		t.Fatal(life)
	}
	c.add(LeafLife/2 - time.Second)
	if again, _ := id.certificate(); again != first {
		t.Fatal("renewed too early")
	}
	c.add(time.Second)
	again, err := id.certificate()
	if err != nil || again == first || again.PrivateKey.(*ecdsa.PrivateKey).Equal(first.PrivateKey) {
		t.Fatal("not renewed, or with the same key", err)
	}
}

func TestSiteOfNeedsAProvenChannel_R10(t *testing.T) {
	leaf := leafOf(t, newKey(t), nil)
	cert, _ := x509.ParseCertificate(leaf.Certificate[0])
	capitals := *cert
	capitals.URIs = []*url.URL{{Scheme: "urn", Opaque: "vcloud:site:AAAAAAAA-1111-4111-8111-111111111111"}}
	for name, s := range map[string]*tls.ConnectionState{
		"another spelling": {HandshakeComplete: true, PeerCertificates: []*x509.Certificate{&capitals}},
		"no TLS":           nil, "no certificate": {HandshakeComplete: true},
		"not complete": {PeerCertificates: []*x509.Certificate{cert}},
	} {
		if site, ok := SiteOf(s); ok {
			t.Errorf("%s: %s", name, site)
		}
	}
}
