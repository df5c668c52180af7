package people

import (
	"net/http"
	"slices"
	"strings"

	"causeway/internal/fiql"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/tenants"
)

const rightsPath = base + "/rights"

func (p *Pages) rightPages() []ui.Page {
	return []ui.Page{
		{Path: rightsPath, Rights: viewRights, Do: p.rights, Menu: &ui.Menu{Section: ui.AccessControl, Key: "rights", Order: 60, Icon: "key"}},
		{Path: rightsPath + "/:id", Rights: viewRights, Do: p.right},
	}
}

func cannot(why string) error { return problem.New(problem.Forbidden, "%s", why) }

// catalogFields are what the catalog is searched, filtered and sorted by.
var catalogFields = fiql.Fields{
	"name":      {Column: "name", Kind: fiql.Text},
	"about":     {Column: "about", Kind: fiql.Text},
	"category":  {Column: "category", Kind: fiql.Text},
	"rightType": {Column: "rightType", Kind: fiql.Text},
	"machines":  {Column: "machines", Kind: fiql.Bool},
	"mine":      {Column: "mine", Kind: fiql.Bool},
}

type rightsPage struct {
	List   *ui.List
	Rights []leaf
	Own    tenants.RightSet
}

// Mine reports whether whoever looks has the right.
func (r rightsPage) Mine(l leaf) bool { return r.Own.HasIndex(l.Index) }

// rights is the catalog, as far as it is available in the organization.
func (p *Pages) rights(s *ui.Screen) error {
	giving, err := p.Tenants.Giving(s.Request.Context(), s.By(), s.Org().ID)
	if err != nil {
		return err
	}
	available := s.Org().Available()
	var categories []ui.Option
	for _, b := range grow(available, available, func(*leaf) {}).Branches {
		categories = append(categories, ui.Option{Value: b.Name, Label: b.Name})
	}
	l, err := s.List(ui.ListOf{
		Fields: catalogFields, Search: []string{"name", "about"},
		Filters: []ui.Filter{
			{Selector: "category", Label: s.T("rights.category"), Options: categories},
			{Selector: "rightType", Label: s.T("rights.kind"), Options: []ui.Option{
				{Value: "VIEW", Label: s.T("rights.view")}, {Value: "MODIFY", Label: s.T("rights.modify")},
			}},
			{Selector: "machines", Label: s.T("rights.machines"), Options: []ui.Option{
				{Value: "true", Label: s.T("rights.machines.yes")}, {Value: "false", Label: s.T("rights.machines.no")},
			}},
		},
	})
	if err != nil {
		return err
	}
	page := rightsPage{List: l, Own: giving.Own()}
	for _, info := range ui.Rows(l, available.Infos(), rightField) {
		page.Rights = append(page.Rights, leaf{RightInfo: info, Implies: impliedBy(info, available)})
	}
	return s.Show("people/rights", "rights.title", page)
}

func rightField(r tenants.RightInfo, selector string) string {
	switch selector {
	case "about":
		return r.Description
	case "category":
		return r.Category
	case "rightType":
		return r.Kind
	case "machines":
		if r.ForMachines() {
			return "true"
		}
		return "false"
	}
	return string(r.Name)
}

type rightPage struct {
	leaf
	Mine    bool
	Needed  []tenants.RightInfo // by what it is implied
	Opens   []httpapi.Route
	Roles   []tenants.Role // of the organization that have it
	ShowFor bool
}

// right is one right: what it allows, what comes with it, and who has it.
func (p *Pages) right(s *ui.Screen) error {
	id, err := tenants.ParseID[string]("right", s.Param("id"))
	if err != nil {
		return err
	}
	info, ok := tenants.LookUpRightID(id)
	available := s.Org().Available()
	if !ok || !available.HasIndex(info.Index) {
		return problem.Hidden()
	}
	giving, err := p.Tenants.Giving(s.Request.Context(), s.By(), s.Org().ID)
	if err != nil {
		return err
	}
	page := rightPage{leaf: leaf{RightInfo: info, Implies: impliedBy(info, available)}, Mine: giving.Own().HasIndex(info.Index), ShowFor: s.Can(viewRoles...)}
	for _, other := range available.Infos() {
		if slices.Contains(other.Implies, info.Name) {
			page.Needed = append(page.Needed, other)
		}
	}
	for _, route := range p.Routes {
		if slices.Contains(route.Rights, info.Name) {
			page.Opens = append(page.Opens, route)
		}
	}
	slices.SortFunc(page.Opens, func(a, b httpapi.Route) int { return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method) })
	for _, role := range s.Org().Roles() {
		if page.ShowFor && s.Org().Allows(role.ID, tenants.KindUser, info.Name) {
			page.Roles = append(page.Roles, role)
		}
	}
	return s.ShowFrame(http.StatusOK, "people/right", ui.Frame{
		D: page, Title: string(info.Name), Trail: []ui.Crumb{{Text: s.T("rights.title"), Path: s.Path(rightsPath)}},
	})
}
