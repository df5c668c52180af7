package gateway

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"causeway/federation"
	"causeway/federation/fanout"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/tenants"
)

// spread answers a request that wants more than the location where it is
// fulfilled. Only lists can be had so; what is no list is at one location, which
// everywhere includes.
func (g *Gateway) spread(c *gin.Context, rt httpapi.Route, who tenants.Principal, target federation.Target, scope httpapi.Scope) error {
	if rt.Method != http.MethodGet {
		return outOfScope("Only lists can be read at several locations; nothing can be changed there.")
	}
	if !target.Local || (target.Org != who.Org && !who.Provider()) {
		return outOfScope("A list at several locations begins in the session's own organization: leave the context headers out.")
	}
	list, err := listOf(rt, c.Request)
	if err != nil {
		return err
	}
	own := tenants.LocationID{Org: target.Org, Site: g.site}
	if list == nil {
		if !scope.Global && !slices.Equal(scope.Locations, []tenants.LocationID{own}) {
			return outOfScope("Only lists can be read at other locations than the session's own.")
		}
		return g.fulfil(c, rt, who, target)
	}
	req, err := listed(c.Request)
	if err != nil {
		return err
	}
	req.List, req.Width = list, fanout.Width
	if who.Provider() {
		req.Width = fanout.ProviderWidth
	}
	req.For = strings.Join([]string{own.String(), c.Request.URL.EscapedPath(), req.For}, "\x00")
	if req.Locations, err = g.locations(c, who, target, scope); err != nil {
		return err
	}
	req.Org = who.Org
	page, err := g.lists.Read(c.Request.Context(), req)
	if err != nil {
		return err
	}
	defer page.Close()
	return g.answerList(c, rt, own, page)
}

func outOfScope(words string) error { return problem.New(problem.InvalidMultisiteScope, "%s", words) }

// listOf is nil for what is no list, and for what never leaves its site.
func listOf(rt httpapi.Route, r *http.Request) (fanout.List, error) {
	if rt.List == nil || rt.Home {
		return nil, nil
	}
	return rt.List.Of(r)
}

// answerList writes a page, and which locations are missing from it. Who asks for
// all or nothing (RFC 7240 §4.4) gets nothing then.
func (g *Gateway) answerList(c *gin.Context, rt httpapi.Route, own tenants.LocationID, p fanout.Page) error {
	c.Header("Cache-Control", "no-store")
	if strict(c.Request.Header) {
		c.Header("Preference-Applied", "handling=strict")
		if len(p.Missing) > 0 {
			return fanout.Incomplete(p.Missing)
		}
	}
	for i, m := range p.Missing {
		if refusal := problem.As(m.Err); refusal != nil && m.Location == own && g.refusals != nil {
			g.refusals.Record(c.Request.Context(), g.outcome(c, refusal))
		}
		if i == maxWarnings {
			c.Writer.Header().Add(httpapi.HeaderMultisiteWarning, moreWarnings(len(p.Missing)-i))
			break
		}
		c.Writer.Header().Add(httpapi.HeaderMultisiteWarning, warning(m))
	}
	c.Header(httpapi.HeaderServedBy, own.String())
	return rt.List.Write(c, g.publicURL, p)
}

// locations are where a request wants its list from, this site's own first and
// the others in order.
func (g *Gateway) locations(c *gin.Context, who tenants.Principal, target federation.Target, scope httpapi.Scope) ([]fanout.Location, error) {
	places, err := g.sites.Spread(c.Request.Context(), who, target.Org)
	if err != nil {
		return nil, err
	}
	target.Site = g.site
	all := []fanout.Location{g.location(c, who, federation.Place{Target: target, Status: federation.StatusActive})}
	all[0].Here = true
	for _, p := range places {
		all = append(all, g.location(c, who, p))
	}
	slices.SortFunc(all[1:], func(a, b fanout.Location) int { return a.Compare(b.LocationID) })
	if scope.Global {
		return all, nil
	}
	wanted := slices.DeleteFunc(all, func(l fanout.Location) bool { return !slices.Contains(scope.Locations, l.LocationID) })
	if len(wanted) != len(scope.Locations) {
		return nil, outOfScope("The session has no such location: it acts at those that accessibleLocations lists.")
	}
	return wanted, nil
}

// location is how one place is asked.
func (g *Gateway) location(c *gin.Context, who tenants.Principal, p federation.Place) fanout.Location {
	l := fanout.Location{LocationID: tenants.LocationID{Org: p.Org, Site: p.Site}}
	if p.Local {
		l.Ask = func(ctx context.Context, page, size int, h *fanout.Hold) ([]byte, error) {
			is, err := g.within(ctx, who, p)
			if err != nil {
				return nil, err
			}
			return g.askHere(partOf(ctx, c, page, size), h, &inside{who: is, target: p.Target})
		}
		return l
	}
	l.Peer = p.Site
	if p.Status != federation.StatusActive {
		row := problem.SiteUnreachable.Row()
		l.Down = &fanout.Missing{Status: row.Status, Code: row.Minor}
	}
	l.Ask = func(ctx context.Context, page, size int, h *fanout.Hold) ([]byte, error) {
		return g.askThere(peerPart(ctx, c, page, size), h, who, p.Target)
	}
	return l
}

// within is who asks at a place of this site: themselves in their own
// organization, and a provider everywhere.
func (g *Gateway) within(ctx context.Context, who tenants.Principal, p federation.Place) (tenants.Principal, error) {
	if who.Provider() || p.Org == who.Org {
		return who, nil
	}
	return g.sites.Within(ctx, who, p.Org)
}
