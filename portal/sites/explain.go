package sites

import (
	"net/http"

	"causeway/federation/links"
	"causeway/federation/route"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/tenants"
)

// routed is where a request would go, in words.
type routed struct {
	links.Explanation
	Kind, Verdict string // how the verdict looks, and its words
	Meaning       string
	Location      string
	SiteName      string
	State         *state // of the association with the other site
	Refused       *problem.Problem
	Status        int
	Code          string
}

func newRouted(s *ui.Screen, here string, e links.Explanation) routed {
	r := routed{Explanation: e, Meaning: e.Row.Words(), SiteName: here}
	if e.Site != nil {
		st := newState(s, e.Site.Status)
		r.SiteName, r.State = e.Site.Name, &st
	}
	if e.Org != "" {
		r.Location = tenants.LocationID{Org: e.Org, Site: e.Decision.Site}.String()
	}
	switch e.Decision.Kind {
	case route.Local:
		r.Kind, r.Verdict = "good", s.T("route.local", e.OrgName, r.SiteName)
	case route.Peer:
		r.Kind, r.Verdict = "good", s.T("route.peer", e.OrgName, r.SiteName)
	default:
		r.Kind, r.Verdict = "bad", s.T("route.refuse")
		if r.Refused = e.Problem; e.Problem != nil {
			row := e.Problem.Code.Row()
			r.Status, r.Code = row.Status, row.Minor
		}
	}
	return r
}

type explainPage struct {
	Fields []ui.Field
	Fault  *problem.Problem
	Asked  bool
	Of     string
	Routed routed
}

const maxContext = 255 // of a header, in bytes

// explain asks by the address, so that the answer can be sent to somebody.
func (p *Pages) explain(s *ui.Screen) error {
	q, err := httpapi.ParseQuery(s.Request.URL.RawQuery)
	if err != nil {
		return err
	}
	page := explainPage{Asked: q.Has("auth") || q.Has("tenant"), Of: s.Org().Name}
	if s.Provider() {
		page.Fields = append(page.Fields, ui.Field{Name: "org", Label: s.T("route.org"), Hint: s.T("route.org.hint"), Value: q.Get("org"), Max: tenants.MaxName})
	}
	page.Fields = append(page.Fields,
		ui.Field{Name: "auth", Label: s.T("route.auth"), Hint: s.T("route.auth.hint"), Value: q.Get("auth"), Max: maxContext, Mono: true},
		ui.Field{Name: "tenant", Label: s.T("route.tenant"), Hint: s.T("route.tenant.hint"), Value: q.Get("tenant"), Max: maxContext, Mono: true})
	if page.Asked {
		err = p.ask(s, q.Get("org"), q.Get("auth"), q.Get("tenant"), &page)
	}
	status := http.StatusOK
	if err != nil {
		if page.Fault, err = s.Fault(err); err != nil {
			return err
		}
		status = page.Fault.Code.Row().Status
	}
	return s.ShowStatus(status, "sites/explain", "route.title", page)
}

// ask answers for sessions of the portal's organization; the provider's also for
// those of another.
func (p *Pages) ask(s *ui.Screen, name, auth, tenant string, page *explainPage) error {
	ctx, org := s.Request.Context(), s.Org()
	if s.Provider() && name != "" {
		found, err := p.Orgs.ByName(ctx, name)
		if err != nil {
			return err
		}
		org, page.Of = found, found.Name
	}
	e, err := p.Explain(ctx, org.Organization, auth, tenant)
	page.Routed = newRouted(s, p.SiteName(), e)
	return err
}
