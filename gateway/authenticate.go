package gateway

import (
	"github.com/gin-gonic/gin"

	"causeway/federation"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/ratelimit"
	"causeway/tenants"
)

// authenticate tells who asks: at the peer listener by the assertion, elsewhere
// by the access token. Two valid tokens of different sessions are an error; an
// unreadable one beside a valid one is a leftover that SDKs and portals send.
func (g *Gateway) authenticate(c *gin.Context) (tenants.Principal, error) {
	ctx := c.Request.Context()
	if site, ok := fromPeer(ctx); ok {
		return g.sites.Receive(ctx, c.Request, site, g.toll(site))
	}
	var found tenants.Principal
	guessed := false
	for _, token := range httpapi.Tokens(c.Request) {
		if found.Session == "" && g.mayBeGuessed(token) {
			if err := g.limits.Check(ratelimit.TokenFailure, source(c)); err != nil {
				return tenants.Principal{}, err
			}
			guessed = true
		}
		who, err := g.tokens.Authenticate(ctx, token)
		switch {
		case problem.Has(err, problem.Unauthenticated):
			continue
		case err != nil:
			return tenants.Principal{}, err
		case found.Session != "" && found.Session != who.Session:
			return tenants.Principal{}, problem.New(problem.BadRequest, "The request carries tokens of two sessions.")
		}
		found = who
	}
	if found.Session != "" {
		return found, nil
	}
	if who, err := g.direct(c); !problem.Has(err, problem.Unauthenticated) {
		return who, err
	}
	if guessed {
		d := g.limits.Take(ratelimit.TokenFailure, source(c))
		if err := d.Err(); err != nil {
			return tenants.Principal{}, err
		}
		httpapi.RateLimit(c, d.Standing)
	}
	return tenants.Principal{}, noToken()
}

// toll counts what a peer asks in vain: each look-up costs, and tells who is here.
// It is taken before and given back to who was found, so that a flood is refused
// before anything is looked up, and those who are let in are bounded by what
// crosses alone.
func (g *Gateway) toll(site tenants.SiteID) federation.Toll {
	var tried ratelimit.Decision
	return federation.Toll{
		Try: func(org tenants.OrgID) error {
			tried = g.limits.Take(ratelimit.CrossingFailure, ratelimit.Org(org), ratelimit.Peer(site))
			return tried.Err()
		},
		Pass: func(who tenants.Principal) error {
			tried.Return()
			return g.crosses(who, site)
		},
	}
}

// mayBeGuessed says of which tokens only the database knows whether they were
// given out: anybody can make up opaque ones, and each would be looked up. A
// source that shows too many is refused before the next; what is remembered
// costs nothing, so a flood beside them does not stop clients at work.
func (g *Gateway) mayBeGuessed(token string) bool {
	return secret.IsLegacyToken(token) && !g.tokens.Remembers(token)
}

func source(c *gin.Context) ratelimit.Key { return ratelimit.Source(httpapi.ClientAddr(c)) }
