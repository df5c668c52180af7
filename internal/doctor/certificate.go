package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"causeway/internal/config"
)

// expiring is how long before its end a certificate that is not renewed by itself
// is a warning.
const expiring = 14 * 24 * time.Hour

// certificate looks at the files of the public listener's.
func (e *examination) certificate(c *config.Config) {
	if c.Public.Certificate == "" {
		e.skip("certificate", "None is configured: a local authority in %s makes one, which clients have to be given.", filepath.Dir(c.Keys.MasterFile))
		return
	}
	pair, err := tls.LoadX509KeyPair(c.Public.Certificate, c.Public.Key)
	if err != nil {
		e.fail("certificate", advice{"The public listener cannot start, and a renewed certificate is not taken over.", "Put the certificate chain and the key that belongs to its first certificate in place, both PEM."},
			"Certificate and key cannot be used: %v", err)
		return
	}
	u, err := url.Parse(c.Public.URL)
	if err != nil { // the configuration is valid
		return
	}
	roots, err := trusted(c.Public.Authority)
	if err != nil {
		e.fail("certificate", advice{"Other sites are given it with association data.", "Correct public.authority."}, "The authority's certificate cannot be read: %v", err)
		return
	}
	chain := []*x509.Certificate{pair.Leaf}
	for _, der := range pair.Certificate[1:] {
		if more, err := x509.ParseCertificate(der); err == nil {
			chain = append(chain, more)
		}
	}
	e.chain("certificate", chain, u.Hostname(), roots)
}

// chain judges a chain as a client would.
func (e *examination) chain(check string, chain []*x509.Certificate, host string, roots *x509.CertPool) {
	leaf, now, good := chain[0], e.now(), true
	bad := func(do, format string, args ...any) {
		good = false
		e.fail(check, advice{"Every client refuses to connect.", do}, format, args...)
	}
	if err := leaf.VerifyHostname(host); err != nil {
		bad("Get a certificate for the host of public.url, or correct public.url.", "The certificate is not for %s: %v", host, err)
	}
	switch left := leaf.NotAfter.Sub(now); {
	case now.Before(leaf.NotBefore):
		bad("Wait, or correct the clock.", "The certificate is not valid before %s.", leaf.NotBefore.UTC().Format(time.RFC3339))
	case left <= 0:
		bad("Renew it: cells take the new files over within a minute.", "The certificate expired at %s.", leaf.NotAfter.UTC().Format(time.RFC3339))
	case left < expiring:
		good = false
		e.warn(check, advice{"Clients refuse to connect from then on.", "Renew it: cells take the new files over within a minute."}, "The certificate expires in %d days, at %s.", int(left.Hours()/24), leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	at := now
	if now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) { // which has been said
		at = leaf.NotBefore.Add(time.Second)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: at}); err != nil {
		bad("Put the intermediate certificates behind the first in the same file; if a private authority issued it, name that in public.authority and give it to clients.",
			"The chain does not lead to an authority that is trusted: %v", err)
	}
	if good {
		e.ok(check, "The certificate is for %s, its chain is trusted, and it is valid until %s.", host, leaf.NotAfter.UTC().Format(time.DateOnly))
	}
}

// trusted are the system's authorities and those in files, as far as they are named.
func trusted(files ...string) (*x509.CertPool, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	for _, file := range files {
		if file == "" {
			continue
		}
		text, err := os.ReadFile(filepath.Clean(file))
		if err != nil {
			return nil, err
		}
		roots.AppendCertsFromPEM(text)
	}
	return roots, nil
}
