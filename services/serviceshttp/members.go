package serviceshttp

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/services"
	"causeway/tenants"
)

const (
	orgInstances = httpapi.CSPOrg + "/service-instances"
	orgInstance  = orgInstances + "/:instance"
	accounts     = orgInstance + "/service-accounts"
	groups       = orgInstance + "/groups"
)

// memberRoutes are for whoever has an organization role, people and apps.
func (h *Handler) memberRoutes() []httpapi.Route {
	routes := []httpapi.Route{
		{Method: http.MethodGet, Path: orgInstances, Do: h.orgInstances},
		{Method: http.MethodGet, Path: orgInstance, Do: h.orgInstance},
		{Method: http.MethodGet, Path: accounts, Do: h.accounts},
		{Method: http.MethodPost, Path: accounts, Do: h.accountCreate},
		{Method: http.MethodGet, Path: accounts + "/:account", Do: h.account},
		{Method: http.MethodDelete, Path: accounts + "/:account", Do: h.accountEnd},
		{Method: http.MethodPost, Path: accounts + "/:account/hook", Do: h.hookRetry},
		{Method: http.MethodGet, Path: groups, Do: h.groups},
		{Method: http.MethodGet, Path: groups + "/" + services.AccountsGroup, Do: h.group},
		{Method: http.MethodGet, Path: orgInstance + "/subjects", Do: h.subjects},
	}
	for i := range routes {
		routes[i].Rights, routes[i].Apps = anySession, true
	}
	return routes
}

// orgInstanceBody is an instance as members of its organization see it.
type orgInstanceBody struct {
	ID         services.InstanceID   `json:"id"`
	Name       string                `json:"name"`
	Definition services.DefinitionID `json:"serviceDefinitionId"`
	Mode       services.Mode         `json:"mode"`
	Prefix     string                `json:"prefix"`
	Hosts      []string              `json:"hosts"`
	Enabled    bool                  `json:"enabled"`
	CreatedAt  string                `json:"createdAt"`
}

func newOrgInstance(in services.ServiceInstance) orgInstanceBody {
	return orgInstanceBody{
		ID: in.ID, Name: in.Name, Definition: in.Definition, Mode: in.Mode, Prefix: in.Prefix, Hosts: append([]string{}, in.Hosts...),
		Enabled: in.Enabled, CreatedAt: httpapi.Time(in.CreatedAt),
	}
}

// accountBody is an account in an instance.
type accountBody struct {
	ID        string         `json:"id"`
	Name      string         `json:"name"`
	Kind      string         `json:"kind"` // app or manual
	Client    string         `json:"clientId,omitempty"`
	Site      tenants.SiteID `json:"siteId,omitempty"`
	Groups    []string       `json:"groups"`
	CreatedAt string         `json:"createdAt"`
	Hook      hookBody       `json:"hook"`
}

type hookBody struct {
	State    services.HookState `json:"state"`
	Attempts int                `json:"attempts"`
	Error    string             `json:"error,omitempty"`
}

func newAccount(a services.InstanceAccount) accountBody {
	return accountBody{
		ID: a.ID, Name: a.Name, Kind: a.Kind(), Client: a.App.ID, Site: a.App.Site, Groups: []string{services.AccountsGroup},
		CreatedAt: httpapi.Time(a.CreatedAt), Hook: hookBody{a.Hook.State, a.Hook.Attempts, a.Hook.Error},
	}
}

// place is the instance that the path names; whether there is one, the domain says.
func (h *Handler) place(c *gin.Context, call httpapi.Call) (tenants.OrgID, services.InstanceID, error) {
	org, err := httpapi.PathOrg(c, call, h.Orgs)
	if err != nil {
		return "", "", err
	}
	id, err := tenants.ParseUUID(c.Param("instance"))
	return org.ID, services.InstanceID(id), err
}

func (h *Handler) orgInstances(c *gin.Context, call httpapi.Call) error {
	org, err := httpapi.PathOrg(c, call, h.Orgs)
	if err != nil {
		return err
	}
	q, err := httpapi.ParseCSPList(c.Request, httpapi.MostCSP)
	if err != nil {
		return err
	}
	list, total, err := h.Services.OrgInstances(c.Request.Context(), call.Caller, org.ID, q)
	return writeAll(c, list, total, q, newOrgInstance, err)
}

func writeAll[T, B any](c *gin.Context, list []T, total int, q tenants.Query, show func(T) B, err error) error {
	if err != nil {
		return hidden(err)
	}
	rows := make([]B, 0, len(list))
	for _, one := range list {
		rows = append(rows, show(one))
	}
	httpapi.WriteCSPPage(c, rows, total, q)
	return nil
}

func (h *Handler) orgInstance(c *gin.Context, call httpapi.Call) error {
	org, id, err := h.place(c, call)
	if err != nil {
		return err
	}
	in, err := h.Services.OrgInstance(c.Request.Context(), call.Caller, org, id)
	if err != nil {
		return hidden(err)
	}
	httpapi.JSON(c, http.StatusOK, newOrgInstance(in))
	return nil
}

func (h *Handler) accounts(c *gin.Context, call httpapi.Call) error {
	return listAccounts(h, c, call, newAccount)
}

func listAccounts[B any](h *Handler, c *gin.Context, call httpapi.Call, show func(services.InstanceAccount) B) error {
	org, id, err := h.place(c, call)
	if err != nil {
		return err
	}
	q, err := httpapi.ParseCSPList(c.Request, httpapi.MostCSP)
	if err != nil {
		return err
	}
	list, total, err := h.Services.Accounts(c.Request.Context(), call.Caller, org, id, q)
	return writeAll(c, list, total, q, show, err)
}

// subjectBody is who a rule of the instance can name: ids of apps and of accounts made
// by hand, each marked (CSP-20).
type subjectBody struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	Client string `json:"clientId,omitempty"`
}

func (h *Handler) subjects(c *gin.Context, call httpapi.Call) error {
	return listAccounts(h, c, call, func(a services.InstanceAccount) subjectBody {
		return subjectBody{a.ID, a.Name, a.Kind(), a.App.ID}
	})
}

// groupBody is the group of all accounts, which has no roles and no permissions and
// cannot be changed (CSP-19).
type groupBody struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	System      bool     `json:"system"`
	Roles       []string `json:"roles"`
	Permissions []string `json:"permissions"`
	Members     int      `json:"memberCount"`
}

func (h *Handler) theGroup(c *gin.Context, call httpapi.Call) (groupBody, error) {
	org, id, err := h.place(c, call)
	if err != nil {
		return groupBody{}, err
	}
	_, total, err := h.Services.Accounts(c.Request.Context(), call.Caller, org, id, tenants.Query{Page: 1, PageSize: 1})
	return groupBody{
		ID: services.AccountsGroup, Name: services.AccountsGroupName, System: true, Roles: []string{}, Permissions: []string{}, Members: total,
	}, hidden(err)
}

func (h *Handler) groups(c *gin.Context, call httpapi.Call) error {
	g, err := h.theGroup(c, call)
	if err != nil {
		return err
	}
	httpapi.WriteCSPPage(c, []groupBody{g}, 1, tenants.Query{Page: 1, PageSize: httpapi.MostCSP})
	return nil
}

// group lists the members beside what the group is.
func (h *Handler) group(c *gin.Context, call httpapi.Call) error {
	g, err := h.theGroup(c, call)
	if err != nil {
		return err
	}
	org, id, err := h.place(c, call)
	if err != nil {
		return err
	}
	q, err := httpapi.ParseCSPList(c.Request, httpapi.MostCSP)
	if err != nil {
		return err
	}
	list, total, err := h.Services.Accounts(c.Request.Context(), call.Caller, org, id, q)
	if err != nil {
		return hidden(err)
	}
	members := make([]subjectBody, 0, len(list))
	for _, a := range list {
		members = append(members, subjectBody{a.ID, a.Name, a.Kind(), a.App.ID})
	}
	httpapi.JSON(c, http.StatusOK, struct {
		groupBody
		httpapi.CSPPage[subjectBody]
	}{g, httpapi.NewCSPPage(c, members, total, q)})
	return nil
}

func (h *Handler) account(c *gin.Context, call httpapi.Call) error {
	org, id, err := h.place(c, call)
	if err != nil {
		return err
	}
	a, err := h.Services.Account(c.Request.Context(), call.Caller, org, id, c.Param("account"))
	if err != nil {
		return hidden(err)
	}
	httpapi.JSON(c, http.StatusOK, newAccount(a))
	return nil
}

func (h *Handler) accountCreate(c *gin.Context, call httpapi.Call) error {
	org, id, err := h.place(c, call)
	if err != nil {
		return err
	}
	name, err := parseAccount(c.Request)
	if err != nil {
		return err
	}
	a, err := h.Services.CreateAccount(c.Request.Context(), call.Caller, org, id, name)
	if err != nil {
		return hidden(err)
	}
	httpapi.JSON(c, http.StatusCreated, newAccount(a))
	return nil
}

func parseAccount(r *http.Request) (string, error) {
	var body struct {
		ID string `json:"id"`
	}
	err := httpapi.ParseOwnJSON(r, &body)
	return body.ID, err
}

func (h *Handler) accountEnd(c *gin.Context, call httpapi.Call) error {
	org, id, err := h.place(c, call)
	if err != nil {
		return err
	}
	return httpapi.NoContent(c, hidden(h.Services.EndAccount(c.Request.Context(), call.Caller, org, id, c.Param("account"))))
}

func (h *Handler) hookRetry(c *gin.Context, call httpapi.Call) error {
	org, id, err := h.place(c, call)
	if err != nil {
		return err
	}
	return httpapi.NoContent(c, hidden(h.Services.RetryHook(c.Request.Context(), call.Caller, org, id, c.Param("account"))))
}
