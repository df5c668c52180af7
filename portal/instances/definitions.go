package instances

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/services"
	"causeway/tenants"
)

type definitionsPage struct {
	List   *ui.List
	Rows   []services.Definition
	Manage bool
}

func (p *Pages) definitionList(s *ui.Screen) error {
	list, err := s.List(ui.ListOf{
		Fields: services.DefinitionFields, Search: []string{"name", "prefix"},
		Filters: []ui.Filter{{Selector: "builtIn", Label: s.T("definitions.origin"), Options: []ui.Option{
			{Value: "true", Label: s.T("definitions.builtin")}, {Value: "false", Label: s.T("definitions.own")},
		}}},
	})
	if err != nil {
		return err
	}
	all, err := p.Services.Definitions(s.Request.Context())
	if err != nil {
		return err
	}
	rows := ui.Rows(list, all, func(d services.Definition, selector string) string {
		switch selector {
		case "name":
			return d.Name
		case "prefix":
			return d.Prefix
		}
		return strconv.FormatBool(d.BuiltIn)
	})
	return s.Show("instances/definitions", "definitions.title", definitionsPage{list, rows, managesDefinitions(s)})
}

// managesDefinitions reports whether who looks may change what definitions there are:
// they are the site's, so their pages for that are in the provider's portal alone.
func managesDefinitions(s *ui.Screen) bool { return s.Provider() && s.Can(manage...) }

type definitionPage struct {
	services.Definition
	Roles   []roleRow
	Routes  []routeRow
	Sockets int // routes by which a call can become a WebSocket
	Manage  bool
	Uses    []usedBy // nil where who looks does not see other organizations' instances
}

// roleRow is a role with what it permits, in the definition's order.
type roleRow struct {
	services.ServiceRole
	Permits []services.PermissionInfo
}

type routeRow struct {
	services.Route
	Order  int
	Socket bool
	Text   string // what a search looks in
}

// usedBy is an instance of a definition.
type usedBy struct {
	Instance services.ServiceInstance
	Org      string
}

func (p *Pages) definitionShow(s *ui.Screen) error {
	d, err := p.definition(s)
	if err != nil {
		return err
	}
	page := definitionPage{Definition: d, Roles: rolesOf(d), Routes: routesOf(d), Manage: managesDefinitions(s) && !d.BuiltIn}
	for _, r := range page.Routes {
		if r.Socket {
			page.Sockets++
		}
	}
	if s.Provider() {
		uses, err := p.Services.DefinitionUses(s.Request.Context(), d.ID)
		if err != nil {
			return err
		}
		if page.Uses, err = p.named(s, uses.Instances); err != nil {
			return err
		}
	}
	return s.ShowFrame(http.StatusOK, "instances/definition", ui.Frame{Title: d.Name, Trail: definitionTrail(s), D: page})
}

// named puts instances beside the names of their organizations, sorted by both.
func (p *Pages) named(s *ui.Screen, list []services.ServiceInstance) ([]usedBy, error) {
	rows := make([]usedBy, 0, len(list))
	for _, in := range list {
		org, err := p.Orgs.Organization(s.Request.Context(), in.Org)
		if problem.Has(err, problem.NotFound) {
			continue // it was deleted meanwhile
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, usedBy{in, org.Name})
	}
	slices.SortFunc(rows, func(a, b usedBy) int {
		return cmp.Or(strings.Compare(a.Org, b.Org), strings.Compare(a.Instance.Name, b.Instance.Name))
	})
	return rows, nil
}

func rolesOf(d services.Definition) []roleRow {
	rows := make([]roleRow, 0, len(d.Roles))
	for _, r := range d.Roles {
		row := roleRow{ServiceRole: r}
		for _, permission := range d.Permissions {
			if r.All || slices.Contains(r.Permissions, permission.Name) {
				row.Permits = append(row.Permits, permission)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

func routesOf(d services.Definition) []routeRow {
	rows := make([]routeRow, 0, len(d.Routes))
	for i, r := range d.Routes {
		rows = append(rows, routeRow{
			Route: r, Order: i + 1, Socket: slices.Contains(r.Methods, services.WebSocket),
			Text: strings.Join(r.Methods, " ") + " " + r.Path + " " + string(r.Permission),
		})
	}
	return rows
}

func definitionTrail(s *ui.Screen, more ...ui.Crumb) []ui.Crumb {
	return append([]ui.Crumb{{Text: s.T("definitions.title"), Path: s.Path(definitions)}}, more...)
}

func crumb(s *ui.Screen, d services.Definition) ui.Crumb {
	return ui.Crumb{Text: d.Name, Path: s.Path(definitions, string(d.ID))}
}

// definition is the one that the path names.
func (p *Pages) definition(s *ui.Screen) (services.Definition, error) {
	id, err := tenants.ParseUUID(s.Param("id"))
	if err != nil {
		return services.Definition{}, problem.Hidden()
	}
	return p.Services.Definition(s.Request.Context(), services.DefinitionID(id))
}

// definitionDownload is the document of a definition, as it could be sent again.
func (p *Pages) definitionDownload(s *ui.Screen) error {
	d, err := p.definition(s)
	if err != nil {
		return err
	}
	text, err := write(d)
	if err != nil {
		return err
	}
	return s.Download(d.Prefix+".yaml", "application/yaml", text)
}

// ownDefinition is the one that the path names, if the provider made it.
func (p *Pages) ownDefinition(s *ui.Screen) (services.Definition, error) {
	d, err := p.definition(s)
	if err == nil && d.BuiltIn {
		err = problem.New(problem.Forbidden, "%s", s.T("definitions.notours", d.Name))
	}
	return d, err
}

type keptPage struct {
	Name string
	Uses []usedBy
	Back string
}

// definitionAsk says what ends with a definition, or what keeps it.
func (p *Pages) definitionAsk(s *ui.Screen) error {
	d, err := p.ownDefinition(s)
	if err != nil {
		return err
	}
	return p.askDefinition(s, d, nil)
}

func (p *Pages) askDefinition(s *ui.Screen, d services.Definition, fault *problem.Problem) error {
	uses, err := p.Services.DefinitionUses(s.Request.Context(), d.ID)
	if err != nil {
		return err
	}
	frame := ui.Frame{Title: s.T("definitions.delete"), Trail: definitionTrail(s, crumb(s, d))}
	back := s.Path(definitions, string(d.ID))
	if len(uses.Instances) > 0 {
		rows, err := p.named(s, uses.Instances)
		if err != nil {
			return err
		}
		frame.D = keptPage{d.Name, rows, back}
		return s.ShowFrame(http.StatusOK, "instances/kept", frame)
	}
	return s.Ask(frame, ui.Confirm{
		Question: s.T("definitions.deleteask", d.Name),
		Ends:     []string{s.Count("definitions.endsroles", len(d.Roles)), s.Count("definitions.endspermissions", len(d.Permissions)), s.Count("definitions.endsroutes", len(d.Routes))},
		Stays:    []string{s.T("definitions.stayscustom"), s.T("definitions.staysaudit")},
		Form:     ui.Form{Submit: s.T("definitions.delete"), Cancel: back, Fault: fault},
	})
}

func (p *Pages) definitionDelete(s *ui.Screen) error {
	d, err := p.ownDefinition(s)
	if err != nil {
		return err
	}
	if err := p.Services.DeleteDefinition(s.Request.Context(), s.By(), d.ID); err != nil {
		fault, err := s.Fault(err)
		if err != nil {
			return err
		}
		return p.askDefinition(s, d, fault)
	}
	return s.Done(s.Path(definitions), "definitiondeleted")
}
