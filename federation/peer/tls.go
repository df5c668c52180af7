package peer

import (
	"crypto/tls"
	"errors"

	"causeway/tenants"
)

// ServerTLS lets in every site that allowed knows, whatever its association's
// status: a half-made association is completed over this very connection.
//
// allowed is asked once per connection. Connections live long, so whoever serves
// a request must ask again what the association with [SiteOf] is worth now, and
// whether its keys still [Keys.Prove] the connection.
func (id *Identity) ServerTLS(allowed func(tenants.SiteID) Keys) *tls.Config {
	c := base()
	c.ClientAuth = tls.RequireAnyClientCert
	c.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return id.certificate() }
	c.VerifyConnection = func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) == 0 {
			return errors.New("peer: no certificate")
		}
		site, err := leafSite(s.PeerCertificates[0])
		if err != nil {
			return err
		}
		keys := allowed(site)
		if len(keys) == 0 || site == id.site {
			return errors.New("peer: not an associated site")
		}
		return verifyLeaf(s.PeerCertificates[0], site, keys, id.now())
	}
	return c
}

// ClientTLS connects to site and to nobody else, wherever the address leads.
func (id *Identity) ClientTLS(site tenants.SiteID, pinned Keys) *tls.Config {
	c := base()
	// The host name is a hint and its certificate authority nobody's; the check
	// that counts is VerifyConnection.
	c.InsecureSkipVerify = true // #nosec G402 -- VerifyConnection verifies
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return id.certificate() }
	c.VerifyConnection = func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) == 0 {
			return errors.New("peer: no certificate")
		}
		if site == id.site {
			return errors.New("peer: this site is not its own peer")
		}
		return verifyLeaf(s.PeerCertificates[0], site, pinned, id.now())
	}
	return c
}

// base is common to both ends. VerifyConnection, unlike VerifyPeerCertificate,
// also runs when a session is resumed; tickets are off all the same, since a
// resumed session would bring back a certificate that may have run out.
func base() *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		NextProtos:             []string{"h2", "http/1.1"},
		SessionTicketsDisabled: true,
		// A request or an answer is one record and one write from the start.
		DynamicRecordSizingDisabled: true,
	}
}

// SiteOf is the site at the other end of a connection that ServerTLS or
// ClientTLS accepted. It is false for any other connection without a site's
// certificate, so a handler reached on another listener has no channel.
func SiteOf(s *tls.ConnectionState) (tenants.SiteID, bool) {
	if s == nil || !s.HandshakeComplete || len(s.PeerCertificates) == 0 {
		return "", false
	}
	site, err := leafSite(s.PeerCertificates[0])
	return site, err == nil
}
