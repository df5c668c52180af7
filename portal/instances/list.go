package instances

import (
	"maps"
	"net/http"
	"strconv"
	"strings"

	"causeway/internal/fiql"
	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/services"
	"causeway/tenants"
)

type instancesPage struct {
	List   *ui.List
	Rows   []instanceRow
	Every  bool // those of all organizations
	Full   bool // not as members of the organization see them
	Manage bool
}

// instanceRow is an instance as lists show it.
type instanceRow struct {
	services.ServiceInstance
	Org        string
	Definition string
	Health     health
}

// Reached are the places by which clients find it.
func (r instanceRow) Reached() []string { return reached(r.ServiceInstance) }

func reached(in services.ServiceInstance) []string {
	list := append([]string{}, in.Hosts...)
	if in.Prefix != "" {
		list = append(list, in.Prefix)
	}
	return list
}

func (p *Pages) instanceList(s *ui.Screen) error {
	of := ui.ListOf{
		Fields: services.InstanceFields, Search: []string{"name", "prefix"}, Sort: "name",
		Filters: []ui.Filter{
			{Selector: "mode", Label: s.T("instances.mode"), Options: modes(s)},
			{Selector: "enabled", Label: s.T("instances.state"), Options: []ui.Option{
				{Value: "true", Label: s.T("instances.enabled")}, {Value: "false", Label: s.T("instances.disabled")},
			}},
		},
	}
	names, err := p.definitionNames(s)
	if err != nil {
		return err
	}
	page := instancesPage{Full: s.Can(view...), Manage: s.Can(manage...)}
	page.Every = s.Provider() && page.Full
	if page.Every {
		page.List, page.Rows, err = p.everyRow(s, of, names)
	} else {
		page.List, page.Rows, err = p.ownRows(s, of, names)
	}
	if err != nil {
		return err
	}
	return s.Show("instances/instances", "instances.title", page)
}

func modes(s *ui.Screen) []ui.Option {
	return []ui.Option{
		{Value: string(services.Onboarded), Label: s.T("instances.onboarded"), Hint: s.T("instances.onboarded.about")},
		{Value: string(services.Original), Label: s.T("instances.original"), Hint: s.T("instances.original.about")},
	}
}

// definitionNames are the names of definitions by id. A member of an organization
// does not need the right to see definitions to know what runs for it.
func (p *Pages) definitionNames(s *ui.Screen) (map[services.DefinitionID]string, error) {
	list, err := p.Services.Definitions(s.Request.Context())
	names := make(map[services.DefinitionID]string, len(list))
	for _, d := range list {
		names[d.ID] = d.Name
	}
	return names, err
}

// ownRows are an organization's.
func (p *Pages) ownRows(s *ui.Screen, of ui.ListOf, names map[services.DefinitionID]string) (*ui.List, []instanceRow, error) {
	list, err := s.List(of)
	if err != nil {
		return nil, nil, err
	}
	ctx, org := s.Request.Context(), s.Org().ID
	var found []services.ServiceInstance
	if s.Can(view...) {
		found, list.Total, err = p.Services.Instances(ctx, org, list.Query)
	} else {
		found, list.Total, err = p.Services.OrgInstances(ctx, s.By(), org, list.Query)
	}
	rows := make([]instanceRow, 0, len(found))
	for _, in := range found {
		rows = append(rows, instanceRow{in, s.Org().Name, names[in.Definition], p.health(s, in)})
	}
	return list, rows, err
}

// everyRow are those of all organizations, which can be searched by the names of
// these, too.
func (p *Pages) everyRow(s *ui.Screen, of ui.ListOf, names map[services.DefinitionID]string) (*ui.List, []instanceRow, error) {
	of.Fields = maps.Clone(services.EveryInstanceFields)
	of.Fields["org"] = fiql.Field{Column: "org", Kind: fiql.Text}
	of.Search = append(of.Search, "org")
	list, err := s.List(of)
	if err != nil {
		return nil, nil, err
	}
	every, err := p.Services.EveryInstance(s.Request.Context())
	if err != nil {
		return nil, nil, err
	}
	orgs, err := p.orgNames(s, every)
	if err != nil {
		return nil, nil, err
	}
	found := ui.Rows(list, every, func(in services.ServiceInstance, selector string) string {
		switch selector {
		case "name":
			return in.Name
		case "prefix":
			return strings.Join(reached(in), " ")
		case "mode":
			return string(in.Mode)
		case "enabled":
			return strconv.FormatBool(in.Enabled)
		case "serviceDefinitionId":
			return names[in.Definition]
		case "org", "orgId":
			return orgs[in.Org]
		}
		return string(in.ID)
	})
	rows := make([]instanceRow, 0, len(found))
	for _, in := range found {
		rows = append(rows, instanceRow{in, orgs[in.Org], names[in.Definition], p.health(s, in)})
	}
	return list, rows, nil
}

// orgNames are the names of the organizations that have instances.
func (p *Pages) orgNames(s *ui.Screen, list []services.ServiceInstance) (map[tenants.OrgID]string, error) {
	names := map[tenants.OrgID]string{}
	for _, in := range list {
		if _, known := names[in.Org]; known {
			continue
		}
		org, err := p.Orgs.Organization(s.Request.Context(), in.Org)
		if problem.Has(err, problem.NotFound) { // it is being deleted
			names[in.Org] = string(in.Org)
			continue
		}
		if err != nil {
			return nil, err
		}
		names[in.Org] = org.Name
	}
	return names, nil
}

func instanceTrail(s *ui.Screen, more ...ui.Crumb) []ui.Crumb {
	return append([]ui.Crumb{{Text: s.T("instances.title"), Path: s.Path(instances)}}, more...)
}

func instanceCrumb(s *ui.Screen, in services.ServiceInstance) ui.Crumb {
	return ui.Crumb{Text: in.Name, Path: s.Path(instances, string(in.ID))}
}

type instancePage struct {
	instanceRow
	Settings bool // where it is and how it is told, which the provider sees
	Manage   bool
	Assign   bool
	Accounts bool // who looks may see them
	Full     bool // not as members of the organization see it
	Sockets  int
	Routes   int
	Headers  []string
	KeysAt   string
	URLs     []string // by which clients reach it
	Hook     bool
}

// told are the headers by which an instance knows who asks.
var told = []string{
	"X-Causeway-Principal", "X-Causeway-Principal-Name", "X-Causeway-Org", "X-Causeway-Permissions", "X-Causeway-Service-Account",
	"X-Causeway-Groups", "X-Causeway-Instance", "X-Causeway-Request-Id", "X-Causeway-Identity",
}

func (p *Pages) instanceShow(s *ui.Screen) error {
	org, in, err := p.found(s)
	if err != nil {
		return err
	}
	d, err := p.Services.Definition(s.Request.Context(), in.Definition)
	if err != nil {
		return err
	}
	page := instancePage{
		instanceRow: instanceRow{in, org.Name, d.Name, p.health(s, in)},
		Settings:    settings(s), Manage: s.Can(manage...), Assign: s.Can(assign...), Accounts: s.Can(member()...), Full: s.Can(view...),
		Routes: len(d.Routes), Headers: told, KeysAt: p.PublicURL + "/.well-known/causeway-instance-keys", Hook: in.HookURL != "",
	}
	for _, r := range routesOf(d) {
		if r.Socket {
			page.Sockets++
		}
	}
	for _, host := range in.Hosts {
		page.URLs = append(page.URLs, "https://"+host)
	}
	if in.Prefix != "" {
		page.URLs = append(page.URLs, p.PublicURL+in.Prefix)
	}
	return s.ShowFrame(http.StatusOK, "instances/instance", ui.Frame{Title: in.Name, Trail: instanceTrail(s), D: page})
}
