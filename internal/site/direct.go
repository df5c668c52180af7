package site

import (
	"context"

	"causeway/federation/direct"
	"causeway/federation/federationhttp"
	"causeway/federation/links"
	"causeway/internal/httpapi"
	"causeway/ratelimit"
	"causeway/tenants"
)

// openIntrospector readies the asking about tokens that other sites issued.
func (s *Site) openIntrospector() (err error) {
	s.introspector, err = direct.New(func(ctx context.Context, site tenants.SiteID, method, path string, body []byte, limit int64) (int, []byte, error) {
		return s.links.Ask(ctx, site, method, path, body, limit)
	}, rememberedOrgs, s.now)
	return err
}

// introspection answers what other sites ask about tokens of this one, and what
// this one's sessions ask about routing.
func (s *Site) introspection() httpapi.Endpoints {
	var e httpapi.Endpoints
	e.Add((&federationhttp.Explainer{Explain: s.links.Explain}).Endpoints())
	e.Add((&federationhttp.Introspection{
		Sessions: s.tokens, Admits: s.links.MayIntrospect, IdP: links.IdPLocal,
		Spend: func(from tenants.SiteID) error { return s.limits.Spend(ratelimit.Introspection, ratelimit.Peer(from)) },
	}).Endpoints())
	return e
}
