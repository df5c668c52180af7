package appshttp

import (
	"time"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/oauth/apps"
)

const wellKnown = "/.well-known/openid-configuration"

// discoveryAge is how long clients may keep it: it changes with versions of the
// gateway.
const discoveryAge = time.Hour

// discoveryBody says what is served (OpenID Connect Discovery §3). Nobody signs in
// here by a browser, so there are no response types.
type discoveryBody struct {
	Issuer         string   `json:"issuer"`
	Authorization  string   `json:"authorization_endpoint"`
	Token          string   `json:"token_endpoint"`
	Introspection  string   `json:"introspection_endpoint"`
	Userinfo       string   `json:"userinfo_endpoint"`
	EndSession     string   `json:"end_session_endpoint"`
	JWKS           string   `json:"jwks_uri"`
	Grants         []string `json:"grant_types_supported"`
	Responses      []string `json:"response_types_supported"`
	Subjects       []string `json:"subject_types_supported"`
	Algorithms     []string `json:"id_token_signing_alg_values_supported"`
	TokenMethods   []string `json:"token_endpoint_auth_methods_supported"`
	InspectMethods []string `json:"introspection_endpoint_auth_methods_supported"`
}

func (h *Handler) discovery(c *gin.Context) error {
	at := h.PublicURL + auth
	methods := []string{"client_secret_basic", "client_secret_post"}
	httpapi.CachedJSON(c, discoveryAge, discoveryBody{
		Issuer: h.OAuth.ServiceIssuer(), Authorization: at + "/authorize", Token: at + "/token", Introspection: at + "/introspect",
		Userinfo: h.PublicURL + httpapi.CSPBase + "/userinfo", EndSession: at + "/logout", JWKS: at + "/keys",
		Grants: []string{apps.GrantClientCredentials}, Responses: []string{}, Subjects: []string{"public"},
		Algorithms: []string{"RS256"}, TokenMethods: methods, InspectMethods: methods,
	})
	return nil
}
