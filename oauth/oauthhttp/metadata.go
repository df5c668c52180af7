package oauthhttp

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/tenants"
)

// wellKnown is where clients look for what a realm says about itself: between the
// host and the path of its issuer (RFC 8414 §3.1).
const wellKnown = "/.well-known/oauth-authorization-server"

// standard are the endpoints of a realm for clients that know OAuth and nothing of
// VCD.
func (h *Handler) standard(realm string) httpapi.Endpoints {
	return httpapi.Endpoints{
		Open: []httpapi.Open{
			{Method: http.MethodGet, Path: wellKnown + realm, Do: h.metadata},
			{Method: http.MethodGet, Path: realm + "/jwks", Do: h.jwks},
			{Method: http.MethodPost, Path: realm + "/revoke", Do: h.revokeToken},
		},
		Routes: []httpapi.Route{{
			Method: http.MethodPost, Path: realm + "/introspect", Rights: introspectors, Home: true, Do: h.introspect,
		}},
	}
}

// metadataAge is how long clients may keep the metadata: it changes with versions
// of the gateway.
const metadataAge = time.Hour

// metadataBody says what a realm serves (RFC 8414 §2).
type metadataBody struct {
	Issuer               string   `json:"issuer"`
	Token                string   `json:"token_endpoint"`
	Device               string   `json:"device_authorization_endpoint"` // RFC 8628 §4
	Registration         string   `json:"registration_endpoint"`
	Revocation           string   `json:"revocation_endpoint"`
	Introspection        string   `json:"introspection_endpoint"`
	JWKS                 string   `json:"jwks_uri"`
	Grants               []string `json:"grant_types_supported"`
	Responses            []string `json:"response_types_supported"`
	TokenMethods         []string `json:"token_endpoint_auth_methods_supported"`
	RevocationMethods    []string `json:"revocation_endpoint_auth_methods_supported"`
	IntrospectionMethods []string `json:"introspection_endpoint_auth_methods_supported"`
}

func (h *Handler) metadata(c *gin.Context) error {
	if err := mayBeRealm(c); err != nil {
		return err
	}
	issuer := h.PublicURL + "/oauth/provider"
	if c.Param("org") != "" {
		issuer = h.PublicURL + "/oauth/tenant/" + lastSegment(c.Request.URL)
	}
	public := []string{"none"} // clients are public: what they hold is the token itself
	httpapi.CachedJSON(c, metadataAge, metadataBody{
		Issuer: issuer, Token: issuer + "/token", Device: issuer + "/device_authorization", Registration: issuer + "/register",
		Revocation: issuer + "/revoke", Introspection: issuer + "/introspect", JWKS: issuer + "/jwks",
		Grants: []string{grantDevice, grantAssertion, grantRefresh}, Responses: []string{},
		TokenMethods: public, RevocationMethods: public,
		IntrospectionMethods: []string{"Bearer"}, // an access token type, as RFC 8414 §2 allows
	})
	return nil
}

// mayBeRealm refuses paths about realms that cannot be. Any name that an
// organization could have will do: strangers must not learn which ones there are.
func mayBeRealm(c *gin.Context) error {
	name := c.Param("org")
	switch {
	case name == "":
		return nil
	case strings.EqualFold(name, tenants.SystemOrgName):
		return problem.New(problem.UnknownPath, "The provider's realm is /oauth/provider.")
	case !tenants.ValidName(name) || strings.Contains(name, "@"):
		return problem.New(problem.InvalidRequest, "No organization can have this name.")
	}
	return nil
}

// lastSegment is the end of a path as it was sent: a client wants to find the very
// issuer that it asked about, however it spells it (RFC 8414 §3.3).
func lastSegment(u *url.URL) string {
	path := strings.TrimRight(u.EscapedPath(), "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}
