package tenantshttp

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/ratelimit"
	"causeway/tenants"
)

const orgLimitsPath = httpapi.OwnAPI + "/organizations/:id/limits"

// orgLimitRoutes are the provider's: no tenant can hold these rights.
func (h *Handler) orgLimitRoutes() []httpapi.Route {
	view, manage := []tenants.Right{tenants.RightSiteView, tenants.RightSiteManage}, []tenants.Right{tenants.RightSiteManage}
	return []httpapi.Route{
		{Method: http.MethodGet, Path: orgLimitsPath, Rights: view, Do: h.orgLimits},
		{Method: http.MethodPut, Path: orgLimitsPath, Rights: manage, Do: h.orgLimitsUpdate},
		{Method: http.MethodDelete, Path: orgLimitsPath, Rights: manage, Do: h.orgLimitsDelete},
	}
}

// orgLimit is one bucket's budget, in the words of the configuration.
type orgLimit struct {
	Limit  string `json:"limit"`
	Bucket string `json:"bucket"`
	Tokens int    `json:"tokens"`
	Per    string `json:"per"`   // such as 1s or 10m
	Burst  int    `json:"burst"` // as many as tokens if left out
}

type orgLimits struct {
	Org    httpapi.Ref `json:"org"`
	Limits []orgLimit  `json:"limits"` // the organization's own
	Site   []orgLimit  `json:"site"`   // what holds otherwise; not read
}

func (h *Handler) orgLimits(c *gin.Context, call httpapi.Call) error {
	org, err := h.orgOf(c, call)
	if err != nil {
		return err
	}
	return h.writeOrgLimits(c, org)
}

func (h *Handler) writeOrgLimits(c *gin.Context, org *tenants.Snapshot) error {
	own, err := h.Tenants.OrganizationLimits(c.Request.Context(), org.ID)
	if err != nil {
		return err
	}
	shown := orgLimits{
		Org:    httpapi.Ref{Name: org.Name, ID: tenants.URN("org", org.ID)},
		Limits: []orgLimit{}, Site: []orgLimit{},
	}
	for _, b := range ratelimit.OwnBuckets() {
		if budget, ok := own[b.Name][b.Kind]; ok {
			shown.Limits = append(shown.Limits, renderLimit(b, budget))
		}
		shown.Site = append(shown.Site, renderLimit(b, h.Limits.Budget(b)))
	}
	httpapi.JSON(c, http.StatusOK, shown)
	return nil
}

func renderLimit(of ratelimit.OwnBucket, b ratelimit.Budget) orgLimit {
	b = b.Whole()
	return orgLimit{Limit: string(of.Name), Bucket: string(of.Kind), Tokens: b.Tokens, Per: ratelimit.Span(b.Per), Burst: b.Burst}
}

func (h *Handler) orgLimitsUpdate(c *gin.Context, call httpapi.Call) error {
	org, err := h.orgOf(c, call)
	if err != nil {
		return err
	}
	limits, err := parseOrgLimits(c.Request)
	if err != nil {
		return err
	}
	if err := h.Tenants.SetOrganizationLimits(c.Request.Context(), call.Caller, org.ID, limits); err != nil {
		return err
	}
	return h.writeOrgLimits(c, org)
}

func (h *Handler) orgLimitsDelete(c *gin.Context, call httpapi.Call) error {
	org, err := h.orgOf(c, call)
	if err != nil {
		return err
	}
	return httpapi.NoContent(c, h.Tenants.SetOrganizationLimits(c.Request.Context(), call.Caller, org.ID, nil))
}

// parseOrgLimits reads a whole set, and says of every line of it what cannot be
// read. Whether the numbers fit the site's is for package ratelimit to say.
func parseOrgLimits(r *http.Request) (ratelimit.Limits, error) {
	var body struct {
		Limits *[]orgLimit `json:"limits"`
	}
	if err := httpapi.ParseOwnJSON(r, &body, "org", "site"); err != nil {
		return nil, err
	}
	if body.Limits == nil { // a body cut short must not take all limits away
		return nil, problem.New(problem.BadRequest, `The member "limits" is required; an empty list leaves the organization none of its own.`)
	}
	known := ratelimit.OwnBuckets()
	if len(*body.Limits) > len(known) {
		return nil, problem.New(problem.BadRequest, "An organization has at most %d limits of its own.", len(known))
	}
	limits := ratelimit.Limits{}
	var faults []string
	for i, l := range *body.Limits {
		if fault := l.addTo(limits, known); fault != "" {
			faults = append(faults, fmt.Sprintf("limits[%d]: %s", i, fault))
		}
	}
	if len(faults) > 0 {
		return nil, problem.New(problem.BadRequest, "%s", strings.Join(faults, "; "))
	}
	return limits, nil
}

// addTo returns what is wrong with the line, or nothing.
func (l orgLimit) addTo(limits ratelimit.Limits, known []ratelimit.OwnBucket) (fault string) {
	of := ratelimit.OwnBucket{Name: ratelimit.Name(l.Limit), Kind: ratelimit.Kind(l.Bucket)}
	per, err := time.ParseDuration(l.Per)
	switch {
	case !slices.Contains(known, of):
		return "an organization has no such limit of its own"
	case err != nil:
		return "per must be a duration such as 90s, 30m or 24h"
	}
	if limits[of.Name] == nil {
		limits[of.Name] = map[ratelimit.Kind]ratelimit.Budget{}
	}
	if _, twice := limits[of.Name][of.Kind]; twice {
		return "the limit is there twice"
	}
	limits[of.Name][of.Kind] = ratelimit.Budget{Tokens: l.Tokens, Per: per.Truncate(time.Microsecond), Burst: l.Burst}.Whole()
	return ""
}
