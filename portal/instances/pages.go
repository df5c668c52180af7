// Package instances is the pages about service definitions, the instances of them
// that run for organizations, and the service accounts inside of those.
package instances

import (
	"embed"
	"io/fs"
	"net/http"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/services"
	"causeway/tenants"
)

//go:embed all:templates
var files embed.FS

// Pages are the pages.
type Pages struct {
	Services  *services.Service
	Health    services.Healths // nil where nobody asks upstreams how they are
	Orgs      *tenants.Directory
	Tenants   *tenants.Service
	PublicURL string // https://host[:port], from configuration only
}

// Name is the group's.
func (p *Pages) Name() string { return "instances" }

// Files are the group's templates.
func (p *Pages) Files() fs.FS { return files }

var (
	view   = []tenants.Right{tenants.RightInstanceView, tenants.RightInstanceManage}
	manage = []tenants.Right{tenants.RightInstanceManage}
	// assign are the organization roles whose holders manage the accounts of
	// instances; the domain asks for them again.
	assign = []tenants.Right{tenants.RightOrgOwner, tenants.RightOrgAdministrator}
)

// member are the organization roles: with any of them somebody sees the
// organization's instances and the accounts in them.
func member() (rights []tenants.Right) {
	for _, r := range services.OrgRoles() {
		rights = append(rights, r.Right)
	}
	return rights
}

const (
	definitions = "/applications/definitions"
	definition  = definitions + "/:id"
	instances   = "/applications/instances"
	instance    = instances + "/:id"
	accounts    = instance + "/accounts"
)

// Pages lists them.
func (p *Pages) Pages() []ui.Page {
	sees := append(member(), view...)
	return []ui.Page{
		{Path: definitions, Rights: view, Do: p.definitionList, Menu: &ui.Menu{Section: ui.Applications, Key: "definitions", Order: 40, Icon: "bundle"}},
		{Path: definitions + "/new", In: ui.Provider, Rights: manage, Do: p.documentNew},
		{Method: http.MethodPost, Path: definitions + "/new", In: ui.Provider, Rights: manage, Do: p.documentCreate},
		{Path: definition, Rights: view, Do: p.definitionShow},
		{Path: definition + "/yaml", Rights: view, Do: p.definitionDownload},
		{Path: definition + "/edit", In: ui.Provider, Rights: manage, Do: p.documentEdit},
		{Method: http.MethodPost, Path: definition + "/edit", In: ui.Provider, Rights: manage, Do: p.documentReview},
		{Method: http.MethodPost, Path: definition + "/replace", In: ui.Provider, Rights: manage, Do: p.documentReplace},
		{Path: definition + "/delete", In: ui.Provider, Rights: manage, Do: p.definitionAsk},
		{Method: http.MethodPost, Path: definition + "/delete", In: ui.Provider, Rights: manage, Do: p.definitionDelete},

		{Path: instances, Rights: sees, Do: p.instanceList, Menu: &ui.Menu{Section: ui.Applications, Key: "instances", Order: 30, Icon: "service"}},
		{Path: instances + "/new", Rights: manage, Do: p.instanceNew},
		{Method: http.MethodPost, Path: instances + "/new", Rights: manage, Do: p.instanceCreate},
		{Path: instance, Rights: sees, Do: p.instanceShow},
		{Path: instance + "/edit", Rights: manage, Do: p.instanceEdit},
		{Method: http.MethodPost, Path: instance + "/edit", Rights: manage, Do: p.instanceUpdate},
		{Path: instance + "/delete", Rights: manage, Do: p.instanceAsk},
		{Method: http.MethodPost, Path: instance + "/delete", Rights: manage, Do: p.instanceDelete},

		{Path: accounts, Rights: member(), Do: p.accountList},
		{Path: accounts + "/new", Rights: assign, Do: p.accountNew},
		{Method: http.MethodPost, Path: accounts + "/new", Rights: assign, Do: p.accountCreate},
		{Path: accounts + "/:account/end", Rights: assign, Do: p.accountAsk},
		{Method: http.MethodPost, Path: accounts + "/:account/end", Rights: assign, Do: p.accountEnd},
		{Method: http.MethodPost, Path: accounts + "/:account/retry", Rights: assign, Do: p.accountRetry},
	}
}

// target is the instance that the path names. In the provider's portal it is one of
// any organization.
func (p *Pages) target(s *ui.Screen) (org *tenants.Snapshot, id services.InstanceID, err error) {
	uuid, err := tenants.ParseUUID(s.Param("id"))
	if err != nil {
		return nil, "", problem.Hidden()
	}
	id = services.InstanceID(uuid)
	if !s.Provider() {
		return s.Org(), id, nil
	}
	owner, err := p.Services.InstanceOrg(s.Request.Context(), id)
	if err != nil {
		return nil, "", err
	}
	httpapi.Concern(s.Context, owner)
	org, err = p.Orgs.Organization(s.Request.Context(), owner)
	return org, id, err
}

// found reads the instance that the path names, as whoever looks may see it.
func (p *Pages) found(s *ui.Screen) (*tenants.Snapshot, services.ServiceInstance, error) {
	org, id, err := p.target(s)
	if err != nil {
		return nil, services.ServiceInstance{}, err
	}
	ctx := s.Request.Context()
	if s.Can(view...) {
		in, err := p.Services.Instance(ctx, org.ID, id)
		return org, in, err
	}
	in, err := p.Services.OrgInstance(ctx, s.By(), org.ID, id)
	return org, in, err
}

// settings reports whether who looks sees where instances are, as the provider does. A
// member of the provider's organization is not told more than one of a tenant's.
func settings(s *ui.Screen) bool { return s.Call.Principal.Provider() && s.Can(view...) }
