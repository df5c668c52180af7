package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"causeway/internal/httpapi"
)

// Outside examines a site as a client sees it. base is https://host[:port]; ca is a
// file with authorities to trust besides the system's, or empty; org is a tenant's
// organization whose endpoints are looked at too, or empty.
func Outside(ctx context.Context, base, ca, org string, o Options) ([]Finding, error) {
	e := begin(o)
	roots, err := trusted(ca)
	if err != nil {
		return nil, err
	}
	if client := e.connect(ctx, base, roots); client != nil {
		e.asClient(ctx, client, base, org)
	}
	e.operationsHidden(ctx, base, "9443")
	return e.found, nil
}

// connect judges the certificate that is shown, and returns what to ask with, or nil.
func (e *examination) connect(ctx context.Context, base string, roots *x509.CertPool) *http.Client {
	u, err := url.Parse(base)
	if err != nil {
		return nil
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// To say all that is wrong with a certificate it has to be seen; nothing is sent.
	way := tls.Dialer{Config: &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12, InsecureSkipVerify: true}} // #nosec G402 -- it is looked at, and not trusted
	conn, err := way.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		e.fail("public url", advice{"Clients and portals use this address, and every link in an answer begins with it.", "Check its name in the DNS, the balancer in front, and that a cell runs."}, "%s cannot be reached: %v", base, err)
		return nil
	}
	chain := conn.(*tls.Conn).ConnectionState().PeerCertificates
	conn.Close()
	before := len(e.found)
	e.chain("tls", chain, u.Hostname(), roots)
	if Worst(e.found[before:]) == Failed {
		return nil
	}
	return &http.Client{
		Timeout: patience, CheckRedirect: noRedirect,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12, Time: e.now}, DisableKeepAlives: true},
	}
}

var unusable = advice{
	"VCD's SDKs, the Terraform provider and OAuth libraries begin with it and go no further.",
	"Check that the balancer passes every path on, unchanged, and that public.url is what clients use.",
}

// asClient takes the first steps of common clients.
func (e *examination) asClient(ctx context.Context, client *http.Client, base, org string) {
	before := len(e.found)
	step := func(name string, err error) {
		if err != nil {
			e.fail("clients", unusable, "%s: %v", name, err)
		}
	}
	res, err := get(ctx, client, base+"/api/versions", http.Header{"Accept": {"application/*+xml"}})
	if err == nil {
		err = res.want(http.StatusOK)
		if date, bad := http.ParseTime(res.header.Get("Date")); bad == nil {
			e.clock("that of "+base, date, time.Second)
			before = len(e.found)
		}
	}
	step("The list of API versions, "+base+"/api/versions", err)
	for _, path := range []string{"/cloudapi/1.0.0/sessions", "/cloudapi/1.0.0/sessions/provider"} {
		res, err := ask(ctx, client, http.MethodPost, base+path, http.Header{"Accept": {"application/json"}}, "")
		if err == nil {
			err = res.want(http.StatusUnauthorized) // without a password
		}
		if err == nil && res.header.Get(httpapi.HeaderRequestID) == "" {
			err = fmt.Errorf("the answer has no %s: something else than Causeway gave it", httpapi.HeaderRequestID)
		}
		step("The login, "+base+path, err)
	}
	realms := []string{"/oauth/provider"}
	if org != "" {
		realms = append(realms, "/oauth/tenant/"+url.PathEscape(org))
	}
	for _, realm := range realms {
		step("The OAuth metadata of "+base+realm, metadata(ctx, client, base, realm))
	}
	if len(e.found) == before {
		e.ok("clients", "API versions, logins and OAuth metadata are what clients expect.")
	}
}

// metadata follows RFC 8414 §3.3: the issuer must be the one that was asked about.
func metadata(ctx context.Context, client *http.Client, base, realm string) error {
	res, err := get(ctx, client, base+"/.well-known/oauth-authorization-server"+realm, nil)
	if err == nil {
		err = res.want(http.StatusOK)
	}
	if err != nil {
		return err
	}
	var said struct {
		Issuer string `json:"issuer"`
	}
	if err := json.Unmarshal(res.body, &said); err != nil {
		return fmt.Errorf("it is no JSON: %w", err)
	}
	if said.Issuer != base+realm {
		return fmt.Errorf("the issuer is %q; clients that asked %s refuse that", said.Issuer, base)
	}
	return nil
}

// operationsHidden looks whether the operations listener answers at the public
// address.
func (e *examination) operationsHidden(ctx context.Context, base, port string) {
	u, err := url.Parse(base)
	if err != nil {
		return
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() == "localhost" || ip != nil && ip.IsLoopback() {
		return // this very machine may ask
	}
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: noRedirect}
	res, err := get(ctx, client, "http://"+net.JoinHostPort(u.Hostname(), port)+"/livez", nil)
	if err != nil || res.want(http.StatusOK) != nil {
		e.ok("operations", "The operations listener does not answer at the public address.")
		return
	}
	e.fail("operations", advice{"It shows metrics and profiles, and what is in memory, to whoever asks.", "Listen on an address of the management network in operations.listen, or close the port to others."},
		"The operations listener answers at %s:%s, and asks for no credentials.", u.Hostname(), port)
}
