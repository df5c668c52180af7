package gateway

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/ratelimit"
	"causeway/tenants"
)

// direct tells who shows a token of another site in one of our organizations. Who
// shows many that do not count is refused before the next is looked at: each costs
// a signature, or a question to its site.
func (g *Gateway) direct(c *gin.Context) (tenants.Principal, error) {
	tokens := httpapi.Tokens(c.Request)
	foreign := tokens[:0:0]
	for _, token := range tokens {
		if g.sites.Foreign(token) {
			foreign = append(foreign, token)
		}
	}
	contexts := c.GetHeader(httpapi.HeaderAuthContext) != "" || c.GetHeader(httpapi.HeaderTenantContext) != ""
	if len(foreign) == 0 || !contexts {
		return tenants.Principal{}, noToken()
	}
	if err := g.limits.Check(ratelimit.TokenFailure, source(c)); err != nil {
		return tenants.Principal{}, err
	}
	who, err := g.showsForeign(c.Request.Context(), foreign, c.Request.Header)
	if problem.Has(err, problem.Unauthenticated) {
		d := g.limits.Take(ratelimit.TokenFailure, source(c))
		if limited := d.Err(); limited != nil {
			return tenants.Principal{}, limited
		}
		httpapi.RateLimit(c, d.Standing)
	}
	return who, err
}

// showsForeign takes the first of several tokens that counts.
func (g *Gateway) showsForeign(ctx context.Context, tokens []string, h http.Header) (tenants.Principal, error) {
	for _, token := range tokens {
		who, err := g.sites.Direct(ctx, token, h)
		if !problem.Has(err, problem.Unauthenticated) {
			return who, err
		}
	}
	return tenants.Principal{}, noToken()
}

func noToken() error {
	return problem.New(problem.Unauthenticated, "The token is missing, expired or not valid.")
}
