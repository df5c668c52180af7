package federationhttp

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/federation/links"
	"causeway/federation/route"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/tenants"
)

// ExplainPath is where a client asks where a request would be fulfilled.
const ExplainPath = httpapi.OwnAPI + "/explainRoute"

// Explainer tells where requests would be fulfilled, and why.
type Explainer struct {
	Explain func(ctx context.Context, org tenants.Organization, auth, tenant string) (links.Explanation, error)
}

// Endpoints lists what the handler serves. Any session may ask about itself: it
// would find out by sending the request. A provider who acts in a tenant's
// organization asks about sessions of that one.
func (h *Explainer) Endpoints() httpapi.Endpoints {
	return httpapi.Endpoints{Routes: []httpapi.Route{
		{Method: http.MethodGet, Path: ExplainPath, Rights: []tenants.Right{httpapi.AnySession}, Home: true, Do: h.explain},
	}}
}

// explanation is a decision as people read it.
type explanation struct {
	Row        string   `json:"row"` // of the routing table
	Meaning    string   `json:"meaning"`
	Decision   string   `json:"decision"` // local, peer or refuse
	Session    name     `json:"session"`  // whose sessions are spoken of
	Org        *name    `json:"org,omitempty"`
	LocationID string   `json:"locationId,omitempty"`
	Site       *site    `json:"site,omitempty"`
	Status     int      `json:"status,omitempty"` // of the refusal
	Code       string   `json:"code,omitempty"`
	Message    string   `json:"message,omitempty"`
	RetryAfter int      `json:"retryAfter,omitempty"` // seconds
	Candidates []string `json:"candidates,omitempty"`
}

type name struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

type site struct {
	name
	Local       bool   `json:"local"`
	Status      string `json:"status,omitempty"`
	Reason      string `json:"reason,omitempty"`
	BreakerOpen bool   `json:"breakerOpen"`
}

func (h *Explainer) explain(c *gin.Context, call httpapi.Call) error {
	query, err := httpapi.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		return err
	}
	for key := range query {
		if key != "authContext" && key != "tenantContext" {
			return problem.New(problem.BadRequest, "The query has authContext and tenantContext, and nothing else.")
		}
	}
	e, err := h.Explain(c.Request.Context(), call.Org.Organization, query.Get("authContext"), query.Get("tenantContext"))
	if err != nil {
		return err
	}
	httpapi.NoStoreJSON(c, http.StatusOK, newExplanation(call.Org.Organization, e))
	return nil
}

func newExplanation(org tenants.Organization, e links.Explanation) explanation {
	x := explanation{
		Row: string(e.Row), Meaning: e.Row.Words(), Decision: e.Kind.String(),
		Session: name{tenants.URN("org", org.ID), org.Name},
	}
	if e.Org != "" {
		x.Org = &name{tenants.URN("org", e.Org), e.OrgName}
		x.LocationID = tenants.LocationID{Org: e.Org, Site: e.Decision.Site}.String()
		x.Site = newSite(e)
	}
	if p := e.Problem; e.Kind == route.Refuse && p != nil {
		row := p.Code.Row()
		x.Status, x.Code, x.Message, x.RetryAfter = row.Status, row.Minor, p.Detail, int(p.RetryAfter.Seconds())
	}
	for _, l := range e.Candidates {
		x.Candidates = append(x.Candidates, l.String())
	}
	return x
}

func newSite(e links.Explanation) *site {
	at := e.Decision.Site
	if at == e.Here.ID {
		return &site{name: name{tenants.URN("site", at), e.Here.Name}, Local: true}
	}
	s := &site{name: name{ID: tenants.URN("site", at)}, BreakerOpen: e.Open}
	if e.Site != nil {
		s.Name, s.Status, s.Reason = e.Site.Name, string(e.Site.Status), e.Site.Reason
	}
	return s
}
