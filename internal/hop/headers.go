// Package hop owns which headers may cross from a client to what stands behind
// the gateway, an instance or a peer site, and back, and copies requests and answers
// by that.
package hop

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

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
	"x-client-cert", "x-http-method", "x-http-method-override", "x-method-override", "via",
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

// framingNames are about one connection and the length of a message on it (RFC 9110
// §7.6.1), as net/http spells them.
var framingNames = spelled(
	"Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length", "Host", "Expect",
)

// misspelled is of a name that net/http leaves alone, and that somebody behind us could
// take for one that says where a message ends.
func misspelled(folded []byte, name string) bool {
	known, ok := framingNames[string(folded)]
	return ok && name != known
}

// StripRequest removes from a request that leaves the gateway what proves the
// client to us and what pretends to be our word about the client.
func StripRequest(h http.Header) {
	for name := range h {
		if Strips(name) {
			delete(h, name)
		}
	}
}

// Strips reports whether StripRequest removes a header of this name.
func Strips(name string) bool {
	var room [48]byte
	n := fold(room[:0], name)
	return secretNames[string(n)] || identityNames[string(n)] || hasPrefix(n, identityPrefixes...) || misspelled(n, name)
}

// StripResponse removes from an answer what the other side has no business
// setting in our name. host is the one the client asked for.
func StripResponse(res *http.Response, host string) {
	h := res.Header
	StripPlanted(h)
	// A client may follow a redirect with its credentials. A peer may send it
	// elsewhere on this site, no further.
	if res.StatusCode/100 == 3 && !sameOrigin(h.Get("Location"), host) {
		h.Del("Location")
	}
}

// StripPlanted removes from headers or trailers of an answer what the other side has
// no business setting in our name.
func StripPlanted(h http.Header) {
	for name := range h {
		var room [48]byte
		if n := fold(room[:0], name); plantedNames[string(n)] || hasPrefix(n, "x-causeway-") || misspelled(n, name) {
			delete(h, name)
		}
	}
}

// StripTrailer removes from what came after an answer what the other side has no
// business setting, and what has no meaning so late.
func StripTrailer(h http.Header) {
	StripPlanted(h)
	for name := range h {
		var room [48]byte
		if _, ok := framingNames[string(fold(room[:0], name))]; ok {
			delete(h, name)
		}
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
func fold(room []byte, name string) []byte {
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= utf8.RuneSelf: // no header that a server took, but letters may lie there
			return []byte(strings.ReplaceAll(strings.ToLower(name), "_", "-"))
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case c == '_':
			c = '-'
		}
		room = append(room, c)
	}
	return room
}

func hasPrefix(s []byte, prefixes ...string) bool {
	for _, p := range prefixes {
		if len(s) >= len(p) && string(s[:len(p)]) == p {
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

func spelled(names ...string) map[string]string {
	m := make(map[string]string, len(names))
	for _, n := range names {
		m[strings.ToLower(n)] = n
	}
	return m
}
