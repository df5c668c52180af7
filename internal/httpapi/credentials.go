package httpapi

import (
	"encoding/base64"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/tenants"
)

// The headers of VCD's wire, in net/http's spelling: any other would be converted
// anew for every request.
const (
	HeaderAccessToken   = "X-Vmware-Vcloud-Access-Token"
	HeaderTokenType     = "X-Vmware-Vcloud-Token-Type"
	HeaderLegacyToken   = "X-Vcloud-Authorization"
	HeaderServiceToken  = "Csp-Auth-Token"
	HeaderAuthContext   = "X-Vmware-Vcloud-Auth-Context"
	HeaderTenantContext = "X-Vmware-Vcloud-Tenant-Context"
	HeaderClientRequest = "X-Vmware-Vcloud-Client-Request-Id"
	HeaderRequestID     = "X-Vmware-Vcloud-Request-Id"
	HeaderServedBy      = "X-Causeway-Served-By"
	HeaderReceipt       = "X-Causeway-Receipt"
	HeaderAssertion     = "X-Causeway-Assertion"
	HeaderPeerRequest   = "X-Causeway-Peer-Request-Id"
)

// Login is what a Basic Authorization header says: user@org:password.
type Login struct {
	User     string
	Org      string
	Password secret.Text
}

// maxLogin bounds user@org:password in base64: two names of tenants.MaxName and
// the longest password.
const maxLogin = (2*tenants.MaxName + tenants.MaxPassword + 2 + 2) / 3 * 4

// BasicLogin reads user@org:password. User names may hold an @, so the
// organization starts after the last one before the first colon.
func BasicLogin(r *http.Request) (Login, error) {
	refused := problem.New(problem.Unauthenticated, "The login is not valid.")
	scheme, encoded, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Basic") || len(encoded) > maxLogin {
		return Login{}, refused
	}
	plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil || !utf8.Valid(plain) {
		return Login{}, refused
	}
	name, password, ok := strings.Cut(string(plain), ":")
	at := strings.LastIndexByte(name, '@')
	if !ok || at < 1 || at == len(name)-1 || password == "" || strings.ContainsFunc(name, unicode.IsControl) {
		return Login{}, refused
	}
	return Login{User: name[:at], Org: name[at+1:], Password: secret.Text(password)}, nil
}

// maxTokens bounds how many signatures one request can make us check.
const maxTokens = 4

// Tokens lists the distinct tokens of a request in their order of precedence.
// SDKs send the same token in two headers (one of VMware Cloud services in
// csp-auth-token and in Authorization), and one of them in the same header
// twice; portals put an organization's name where an old token used to be, so
// what is neither a JWT nor an opaque token in the legacy header does not count.
// An opaque token counts in that header alone, and only the first: each has to be
// looked up, and nothing about it shows that it was ever given out.
func Tokens(r *http.Request) []string {
	var found []string
	add := func(token string) {
		for _, t := range found {
			if t == token {
				return
			}
		}
		if token != "" && len(found) < maxTokens {
			found = append(found, token)
		}
	}
	addAccess := func(token string) {
		if token = strings.TrimSpace(token); !secret.IsLegacyToken(token) {
			add(token)
		}
	}
	for _, v := range r.Header.Values("Authorization") {
		if scheme, token, ok := strings.Cut(v, " "); ok && strings.EqualFold(scheme, "Bearer") {
			addAccess(token)
		}
	}
	for _, name := range []string{HeaderAccessToken, HeaderServiceToken} {
		for _, v := range r.Header.Values(name) {
			addAccess(v)
		}
	}
	opaque := false
	for _, v := range r.Header.Values(HeaderLegacyToken) {
		switch v = strings.TrimSpace(v); {
		case strings.Count(v, ".") == 2:
			add(v)
		case secret.IsLegacyToken(v) && !opaque:
			opaque = true
			add(v)
		}
	}
	return found
}
