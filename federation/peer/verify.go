package peer

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"causeway/tenants"
)

// verifyLeaf proves that leaf speaks for site: a pinned root key signed it, and
// everything in it is as this package issues it. No certificate authority is
// asked: a public one vouches for a host name, and an association is with a key.
func verifyLeaf(leaf *x509.Certificate, site tenants.SiteID, pinned Keys, now time.Time) error {
	if named, err := leafSite(leaf); err != nil {
		return err
	} else if named != site {
		return fmt.Errorf("peer: the certificate is of site %s, not %s", named, site)
	}
	if err := pinned.signed(leaf); err != nil {
		return err
	}
	return checkLeaf(leaf, now)
}

// checkLeaf is everything but who signed for whom.
func checkLeaf(leaf *x509.Certificate, now time.Time) error {
	switch {
	case now.Before(leaf.NotBefore) || now.After(leaf.NotAfter):
		return errors.New("peer: the certificate is outside its validity")
	case leaf.NotAfter.Sub(leaf.NotBefore) > LeafLife+skew:
		// A root key used once must not give an identity for years.
		return errors.New("peer: the certificate is valid for too long")
	case !leaf.BasicConstraintsValid || leaf.IsCA || leaf.KeyUsage != x509.KeyUsageDigitalSignature:
		return errors.New("peer: the certificate is not a leaf")
	case !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageServerAuth) ||
		!slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageClientAuth):
		return errors.New("peer: the certificate is not for both ends of a connection")
	case len(leaf.UnhandledCriticalExtensions) > 0:
		return errors.New("peer: the certificate has a critical extension nobody here knows")
	}
	return nil
}

// leafSite reads the one site a leaf names. It proves nothing yet.
func leafSite(leaf *x509.Certificate) (tenants.SiteID, error) {
	if len(leaf.URIs) != 1 {
		return "", errors.New("peer: the certificate does not name exactly one site")
	}
	uri := leaf.URIs[0].String()
	id, ok := strings.CutPrefix(uri, "urn:vcloud:site:")
	if canonical, err := tenants.ParseUUID(id); !ok || err != nil || canonical != id {
		return "", errors.New("peer: the certificate does not name a site")
	}
	return tenants.SiteID(id), nil
}
