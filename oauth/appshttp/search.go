package appshttp

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/oauth/apps"
	"causeway/services"
	"causeway/tenants"
)

// mostFound is the largest page of a search.
const mostFound = 15

// termBody is a role that is searched for. Clients also write just its name.
type termBody struct {
	Name       string `json:"name"`
	Definition string `json:"serviceDefinitionId"`
}

func (b *termBody) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(text, []byte(`"`)) {
		return json.Unmarshal(text, &b.Name)
	}
	type plain termBody
	return json.Unmarshal(text, (*plain)(b))
}

type searchBody struct {
	Terms struct {
		Organization []termBody `json:"orgRoles"`
		Service      []termBody `json:"serviceRoles"`
		Custom       []termBody `json:"customRoles"`
	} `json:"rolesSearchTerm"`
	Resource       string      `json:"resource"`
	ResourcePrefix string      `json:"resourceStartsWith"`
	Type           string      `json:"searchType"`
	Start          json.Number `json:"pageStart"`
	Limit          json.Number `json:"pageLimit"`
}

func (b searchBody) search() (apps.Search, error) {
	s := apps.Search{Resource: b.Resource, ResourcePrefix: b.ResourcePrefix}
	switch strings.ToUpper(b.Type) {
	case "", "OR", "ANY":
	case "AND", "ALL":
		s.All = true
	default:
		return s, problem.New(problem.BadRequest, "searchType must be OR or AND.")
	}
	for _, t := range b.Terms.Organization {
		s.Roles = append(s.Roles, apps.RoleTerm{Kind: services.GrantOrganization, Role: t.Name})
	}
	for _, t := range b.Terms.Custom {
		s.Roles = append(s.Roles, apps.RoleTerm{Kind: services.GrantCustom, Role: t.Name})
	}
	for _, t := range b.Terms.Service {
		s.Roles = append(s.Roles, apps.RoleTerm{Kind: services.GrantService, Definition: services.DefinitionID(strings.ToLower(t.Definition)), Role: t.Name})
	}
	if len(s.Roles) > maxTerms {
		return s, problem.New(problem.BadRequest, "At most %d roles are searched for at once.", maxTerms)
	}
	return s, nil
}

const maxTerms = 100

// parseSearch reads what is searched for, and which page: as numbers of the query, or
// of the body.
func parseSearch(r *http.Request) (apps.Search, tenants.Query, bool, error) {
	var b searchBody
	if err := httpapi.ParseJSON(r, &b); err != nil {
		return apps.Search{}, tenants.Query{}, false, err
	}
	search, err := b.search()
	if err != nil {
		return search, tenants.Query{}, false, err
	}
	given, err := httpapi.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return search, tenants.Query{}, false, err
	}
	start, limit := b.Start.String(), b.Limit.String()
	if given.Has("pageStart") {
		start = given.Get("pageStart")
	}
	if given.Has("pageLimit") {
		limit = given.Get("pageLimit")
	}
	only := false
	if text := given.Get("filterResults"); text != "" {
		if only, err = strconv.ParseBool(text); err != nil {
			return search, tenants.Query{}, false, problem.New(problem.BadRequest, "filterResults must be true or false.")
		}
	}
	q, err := httpapi.CSPList(start, limit, mostFound)
	return search, q, only, err
}

// search lists the apps in an organization by the roles that they hold. filterResults
// shows of each only the roles that were searched for.
func (h *Handler) search(c *gin.Context, call httpapi.Call, org *tenants.Snapshot) error {
	search, q, only, err := parseSearch(c.Request)
	if err != nil {
		return err
	}
	list, total, err := h.Apps.SearchMembers(c.Request.Context(), call.Caller, org.ID, search, q)
	if err != nil {
		return err
	}
	if only {
		for i := range list {
			list[i].Grants = slices.DeleteFunc(list[i].Grants, func(g services.Grant) bool { return !search.Fits(g) })
		}
	}
	return h.writeMembers(c, list, total, q)
}
