package associations

import (
	"crypto/x509"
	"encoding/pem"
	"net/url"
	"strings"

	"causeway/internal/problem"
	"causeway/tenants"
)

// SiteData is what a site tells others of itself, as far as it counts.
type SiteData struct {
	Site           tenants.SiteID
	Name           string
	RestEndpoint   string // https://host[:port]/api
	BaseUIEndpoint string
	Certificate    string // PEM, an extra root for RestEndpoint; may be empty
	PublicKey      string // PEM
}

// OrgData is what an organization tells others of itself.
type OrgData struct {
	Site      tenants.SiteID
	SiteName  string // shown; not read
	Org       tenants.OrgID
	Name      string
	PublicKey string // PEM
}

// Location is the organization.
func (d OrgData) Location() tenants.LocationID { return tenants.LocationID{Org: d.Org, Site: d.Site} }

const (
	maxEndpoint    = 1024     // bytes, well above what any host name needs
	maxCertificate = 32 << 10 // bytes: a chain of ten
)

// normal checks d and writes it as we write it. A key may be missing where there
// is one already.
func (d SiteData) normal() (SiteData, error) {
	var err error
	if d.RestEndpoint, err = endpoint("RestEndpoint", d.RestEndpoint); err != nil {
		return d, err
	}
	root, found := strings.CutSuffix(d.RestEndpoint, "/api")
	if !found {
		return d, problem.New(problem.BadRequest, "RestEndpoint must be https://host[:port]/api.")
	}
	if d.BaseUIEndpoint == "" {
		d.BaseUIEndpoint = root
	}
	if d.BaseUIEndpoint, err = endpoint("BaseUiEndpoint", d.BaseUIEndpoint); err != nil {
		return d, err
	}
	if d.Name == "" { // VCD's default
		d.Name = string(d.Site)
	}
	if !tenants.ValidName(d.Name) {
		return d, problem.New(problem.BadRequest, "SiteName has 1 to %d bytes and no control characters.", tenants.MaxName)
	}
	if d.Certificate, err = certificates(d.Certificate); err != nil {
		return d, err
	}
	if d.PublicKey != "" {
		d.PublicKey, err = normalKey(d.PublicKey)
	}
	return d, err
}

// endpoint is an address over HTTPS with nothing in it that could hold a secret
// or lead elsewhere.
func endpoint(what, text string) (string, error) {
	text = strings.TrimRight(strings.TrimSpace(text), "/")
	u, err := url.Parse(text)
	if err != nil || len(text) > maxEndpoint || u.Scheme != "https" || u.Hostname() == "" || u.User != nil ||
		u.Opaque != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.String() != text {
		return "", problem.New(problem.BadRequest, "%s must be an address https://host[:port]/…, at most %d bytes.", what, maxEndpoint)
	}
	return text, nil
}

// certificates reads PEM and writes it without what stands around the blocks.
func certificates(text string) (string, error) {
	refused := problem.New(problem.BadRequest, "RestEndpointCertificate must be certificates as PEM, at most %d bytes.", maxCertificate)
	if len(text) > maxCertificate {
		return "", refused
	}
	var out strings.Builder
	rest := []byte(strings.TrimSpace(text))
	for len(rest) > 0 {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != "CERTIFICATE" {
			return "", refused
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return "", refused
		}
		block.Headers = nil
		if err := pem.Encode(&out, block); err != nil {
			return "", refused
		}
	}
	return out.String(), nil
}

// normal checks d and writes it as we write it.
func (d OrgData) normal() (OrgData, error) {
	if !tenants.ValidName(d.Name) {
		return d, problem.New(problem.BadRequest, "OrgName has 1 to %d bytes and no control characters.", tenants.MaxName)
	}
	if d.PublicKey == "" {
		return d, nil
	}
	var err error
	d.PublicKey, err = normalKey(d.PublicKey)
	return d, err
}
