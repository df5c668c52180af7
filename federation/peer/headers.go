package peer

import (
	"net/http"
	"net/url"
	"strings"

	"causeway/federation/assertion"
	"causeway/tenants"
)

// AssertionHeader carries the assertion between sites and nowhere else.
const AssertionHeader = assertion.Header

// secretNames never leave the site: what proves a client to us would prove
// anybody who holds it. Folded, see fold.
var secretNames = set(
	"authorization", "proxy-authorization", "cookie", "cookie2", "dpop", "csp-auth-token",
	"x-vcloud-authorization", "x-vmware-vcloud-access-token", "x-vmware-vcloud-token-type",
)

// identityNames are how proxies tell the next hop who a client is or what it
// asked for; no client's word about that may arrive as if it were ours. The
// context headers go too: the assertion names the organization.
var identityNames = set(
	"forwarded", "x-real-ip", "x-client-ip", "true-client-ip", "client-ip", "x-cluster-client-ip",
	"x-original-url", "x-rewrite-url", "x-original-host", "x-host", "remote-user", "x-remote-user",
	"x-client-cert", "x-http-method-override", "via",
	"x-vmware-vcloud-auth-context", "x-vmware-vcloud-tenant-context",
)

var identityPrefixes = []string{"x-forwarded", "x-causeway-", "x-ssl-client"}

// plantedNames are what one site must not set in the name of another: sessions,
// tokens, and the policies that a browser keeps for a whole origin.
var plantedNames = set(
	"set-cookie", "set-cookie2", "authorization", "authentication-info", "proxy-authenticate",
	"proxy-authentication-info", "x-vcloud-authorization", "x-vmware-vcloud-access-token",
	"x-vmware-vcloud-token-type", "csp-auth-token", "dpop-nonce",
	"strict-transport-security", "alt-svc", "clear-site-data", "service-worker-allowed", "refresh",
	"report-to", "reporting-endpoints", "nel", "public-key-pins", "via", "server",
)

func stripRequest(h http.Header) {
	for name := range h {
		if n := fold(name); secretNames[n] || identityNames[n] || hasPrefix(n, identityPrefixes) {
			delete(h, name)
		}
	}
}

func stripResponse(res *http.Response, host string) {
	h := res.Header
	for name := range h {
		if n := fold(name); plantedNames[n] || strings.HasPrefix(n, "x-causeway-") {
			delete(h, name)
		}
	}
	// A client may follow a redirect with its credentials. A peer may send it
	// elsewhere on this site, no further.
	if res.StatusCode/100 == 3 && !sameOrigin(h.Get("Location"), host) {
		h.Del("Location")
	}
}

// sameOrigin reports whether location stays on host. Backslashes and control
// characters are refused because browsers and we read them differently.
func sameOrigin(location, host string) bool {
	if location == "" || strings.ContainsFunc(location, func(c rune) bool { return c == '\\' || c <= ' ' }) {
		return false
	}
	u, err := url.Parse(location)
	if err != nil || u.User != nil {
		return false
	}
	if u.Scheme == "" && u.Host == "" {
		return u.Opaque == "" && !strings.HasPrefix(location, "//")
	}
	return u.Scheme == "https" && strings.EqualFold(u.Host, host)
}

// fold is how header names are compared: some servers and CGI-like environments
// take X_Real_IP for X-Real-IP.
func fold(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "-") }

func hasPrefix(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

// viaValue names a site in Via by its pseudonym (RFC 9110 §7.6.3), the site id.
func viaValue(self tenants.SiteID) string { return "2.0 " + string(self) }

// ViaNames reports whether a request has passed through site before.
func ViaNames(h http.Header, site tenants.SiteID) bool {
	for _, line := range h.Values("Via") {
		for hop := range strings.SplitSeq(line, ",") {
			if f := strings.Fields(hop); len(f) >= 2 && strings.EqualFold(f[1], string(site)) {
				return true
			}
		}
	}
	return false
}
