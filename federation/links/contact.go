package links

import (
	"context"
	"net/http"

	"causeway/federation"
	"causeway/tenants"
)

// Association is what is held about a site now; without one it is
// problem.NotFound.
func (l *Links) Association(ctx context.Context, site tenants.SiteID) (federation.SiteAssociation, error) {
	p, err := l.index.site(ctx, site)
	return p.SiteAssociation, err
}

// Shares reports whether a local organization is associated with one of a site,
// complete or not.
func (l *Links) Shares(ctx context.Context, local tenants.OrgID, site tenants.SiteID) (bool, error) {
	held, err := l.index.associations(ctx, local)
	if err != nil {
		return false, err
	}
	for i := range held.Len() {
		if held.At(i).Site == site {
			return true, nil
		}
	}
	return false, nil
}

// Call sends what this site asks of another on its own behalf, at a path of the
// other's peer listener. It tries even where requests of principals would be
// refused at once because the site cannot be reached.
func (l *Links) Call(a federation.SiteAssociation, r *http.Request) (*http.Response, error) {
	site, err := newSitePeer(a)
	if err != nil {
		return nil, err
	}
	via, err := l.c.Forwarder.Knocker(l.target(site))
	if err != nil {
		return nil, err
	}
	r.URL.Scheme, r.URL.Host = "https", string(a.Site) // never resolved
	return via.RoundTrip(r)
}
