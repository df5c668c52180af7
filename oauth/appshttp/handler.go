// Package appshttp is the face that clients of VMware Cloud services see of server-
// to-server apps and their tokens: everything below /csp that is not about service
// instances. It parses, calls and renders; the rules live in packages apps, oauth
// and services.
package appshttp

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/oauth"
	"causeway/oauth/apps"
	"causeway/ratelimit"
	"causeway/services"
	"causeway/tenants"
)

// Handler serves the endpoints.
type Handler struct {
	Apps     *apps.Service
	OAuth    *oauth.Service
	Tokens   *oauth.Authenticator
	Orgs     *tenants.Directory
	Limits   *ratelimit.Limiter
	Services *services.Service
	// UserLife is that of the access token that a user's API token gets.
	UserLife  time.Duration
	PublicURL string // https://host[:port], from configuration only
}

// Endpoints lists what the handler serves.
func (h *Handler) Endpoints() httpapi.Endpoints {
	var e httpapi.Endpoints
	for _, more := range []httpapi.Endpoints{h.tokenRoutes(), h.appRoutes(), h.memberRoutes(), h.roleRoutes()} {
		e.Add(more)
	}
	return e
}

// anySession is who may call: what they may do is asked of what they hold when they
// do it.
var anySession = []tenants.Right{httpapi.AnySession}

// inOrg is a route below httpapi.CSPOrg, open to people and to apps.
func (h *Handler) inOrg(method, path string, do func(*gin.Context, httpapi.Call, *tenants.Snapshot) error) httpapi.Route {
	return h.below(httpapi.CSPOrg, method, path, do)
}

// below is inOrg for another beginning, with the organization as :org.
func (h *Handler) below(base, method, path string, do func(*gin.Context, httpapi.Call, *tenants.Snapshot) error) httpapi.Route {
	return httpapi.Route{
		Method: method, Path: base + path, Rights: anySession, Apps: true,
		Do: func(c *gin.Context, call httpapi.Call) error {
			org, err := httpapi.PathOrg(c, call, h.Orgs)
			if err != nil {
				return err
			}
			return do(c, call, org)
		},
	}
}

// empty answers 200 without a body.
func empty(c *gin.Context) error {
	httpapi.NoStore(c)
	c.Status(http.StatusOK)
	c.Writer.WriteHeaderNow()
	return nil
}
