package rig

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"strconv"

	"causeway/federation/memnet"
	"causeway/internal/httpapi"
)

// openClient makes the client beside a site's gateway.
func (p *place) openClient(h *memnet.Host, ca string) error {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(ca)) {
		return errors.New("the local authority has no certificate")
	}
	p.client = &http.Client{
		Timeout: requestTime,
		Transport: &http.Transport{
			DialContext: h.Dial, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true,
		},
	}
	return nil
}

// request asks the site's gateway, as its app, in the organization of another
// site or in the app's own. It is the status, or "none".
func (p *place) request(ctx context.Context, in string) string {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url()+appPath, nil)
	if err != nil {
		return none
	}
	r.Header.Set("Authorization", "Bearer "+p.token.Load().Reveal())
	r.Header.Set("Accept", "application/json;version="+httpapi.Version)
	if in != "" {
		r.Header.Set("X-VMWARE-VCLOUD-AUTH-CONTEXT", in)
	}
	res, err := p.client.Do(r)
	if err != nil {
		return none
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return none
	}
	return strconv.Itoa(res.StatusCode)
}

// ready asks every cell that runs whether it can serve.
func (p *place) ready(ctx context.Context) string {
	for _, c := range p.cells {
		if s := c.running(); s != nil && !p.cellReady(ctx, s.Addr("operations")) {
			return "no"
		}
	}
	return "yes"
}

func (p *place) cellReady(ctx context.Context, addr string) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/readyz", nil)
	if err != nil {
		return false
	}
	res, err := p.client.Do(r)
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}
