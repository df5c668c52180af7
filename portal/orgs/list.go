package orgs

import (
	"net/http"

	"causeway/internal/secret"
	"causeway/portal/ui"
	"causeway/tenants"
)

var (
	viewOrganization   = []tenants.Right{tenants.RightOrganizationView, tenants.RightAdministratorView}
	editOrganization   = []tenants.Right{tenants.RightOrganizationEdit}
	createOrganization = []tenants.Right{tenants.RightOrganizationCreate}
	manageUsers        = []tenants.Right{tenants.RightUserManage}
)

func (p *Pages) listPages() []ui.Page {
	const one = at + "/:id"
	change := tenants.OrganizationEditRights()
	return []ui.Page{
		{Path: at, In: ui.Provider, Rights: viewOrganization, Do: p.list,
			Menu: &ui.Menu{Section: ui.Organizations, Key: "organizationlist", Order: 10, Icon: "org"}},
		{Path: at + "/new", In: ui.Provider, Rights: createOrganization, Do: p.showNew},
		{Method: http.MethodPost, Path: at + "/new", In: ui.Provider, Rights: createOrganization, Do: p.create},
		{Path: one, In: ui.Provider, Rights: viewOrganization, Do: p.details},
		{Path: one + "/administrator", In: ui.Provider, Rights: manageUsers, Do: p.showAdministrator},
		{Method: http.MethodPost, Path: one + "/administrator", In: ui.Provider, Rights: manageUsers, Do: p.addAdministrator},
		{Path: one + "/edit", In: ui.Provider, Rights: change, Do: p.showEdit},
		{Method: http.MethodPost, Path: one + "/edit", In: ui.Provider, Rights: change, Do: p.edit},
		{Path: one + "/disable", In: ui.Provider, Rights: editOrganization, Do: p.askDisable},
		{Method: http.MethodPost, Path: one + "/disable", In: ui.Provider, Rights: editOrganization, Do: p.disable},
		{Method: http.MethodPost, Path: one + "/enable", In: ui.Provider, Rights: editOrganization, Do: p.enable},
		{Path: one + "/delete", In: ui.Provider, Rights: createOrganization, Do: p.askDelete},
		{Method: http.MethodPost, Path: one + "/delete", In: ui.Provider, Rights: createOrganization, Do: p.delete},
	}
}

type listPage struct {
	List   *ui.List
	Orgs   []tenants.ListedOrganization
	Create bool
}

func (p *Pages) list(s *ui.Screen) error {
	l, err := s.List(ui.ListOf{
		Fields: tenants.OrganizationFields, Search: []string{"name", "displayName"}, Sort: "name",
		Filters: []ui.Filter{{Selector: "isEnabled", Label: s.T("orgs.state"), Options: []ui.Option{
			{Value: "true", Label: s.T("orgs.enabled")}, {Value: "false", Label: s.T("orgs.disabled")},
		}}},
	})
	if err != nil {
		return err
	}
	page := listPage{List: l, Create: s.Can(createOrganization...)}
	if page.Orgs, l.Total, err = p.Tenants.Organizations(s.Request.Context(), s.Org().ID, l.Query); err != nil {
		return err
	}
	return s.Show("orgs/list", "orgs.title", page)
}

type newPage struct {
	Step  int  // 1 is the organization, 2 its administrator
	First bool // the two belong together, for nobody is there yet
	Org   tenants.Organization
	Role  string
	Form  ui.Form
}

func nameFields(s *ui.Screen, o tenants.Organization, named bool) (fields []ui.Field) {
	if named {
		fields = []ui.Field{{
			Name: "name", Label: s.T("orgs.name"), Hint: s.T("orgs.name.hint"), Value: o.Name, Required: true, Max: tenants.MaxName, Focus: o.Name == "",
		}}
	}
	return append(fields,
		ui.Field{Name: "displayName", Label: s.T("orgs.fullname"), Hint: s.T("orgs.fullname.hint"), Value: o.DisplayName, Max: 4096},
		ui.Field{Name: "description", Label: s.T("orgs.description"), Kind: ui.Area, Value: o.Description, Max: 4096},
	)
}

func (p *Pages) newForm(s *ui.Screen) *newPage {
	return &newPage{Step: 1, First: true, Form: ui.Form{
		Fields: nameFields(s, tenants.Organization{}, true), Submit: s.T("orgs.create"), Cancel: s.Path(at),
	}}
}

func (p *Pages) showNew(s *ui.Screen) error { return drawNew(s, p.newForm(s)) }

func drawNew(s *ui.Screen, page *newPage) error {
	f := ui.Frame{D: page, Title: s.T("orgs.new"), Trail: trail(s)}
	if page.Step == 2 {
		f.Title, f.Trail = s.T("orgs.admin"), trail(s, page.Org)
	}
	return s.ShowFrame(page.Form.Status(), "orgs/new", f)
}

// create makes the organization, and goes on to its first administrator.
func (p *Pages) create(s *ui.Screen) error {
	v, err := s.Form()
	if err != nil {
		return err
	}
	o := tenants.Organization{Enabled: true}
	applyNames(&o, v)
	if o, err = p.Tenants.CreateOrganization(s.Request.Context(), s.By(), o); err != nil {
		page := p.newForm(s)
		return refused(s, err, &page.Form, v, func() error { return drawNew(s, page) })
	}
	if !s.Can(manageUsers...) {
		return s.Done(s.Path(at, string(o.ID)), "organizationcreated")
	}
	return s.Done(s.Path(at, string(o.ID), "administrator"), "organizationcreated")
}

func applyNames(o *tenants.Organization, v ui.Values) {
	if v.Has("name") {
		o.Name = v.Text("name")
	}
	o.DisplayName, o.Description = v.Text("displayName"), v.Text("description")
}

func (p *Pages) adminForm(s *ui.Screen, org tenants.ListedOrganization) *newPage {
	return &newPage{Step: 2, First: org.Users == 0, Org: org.Organization, Role: tenants.OrganizationAdministrator, Form: ui.Form{
		Fields: []ui.Field{
			{Name: "name", Label: s.T("orgs.admin.name"), Required: true, Max: tenants.MaxName, Focus: true},
			{Name: "fullName", Label: s.T("orgs.admin.fullname"), Max: 4096},
			{Name: "email", Label: s.T("orgs.admin.email"), Max: 4096},
			{Name: "password", Kind: ui.Secret, Label: s.T("orgs.admin.password"), Hint: s.T("orgs.admin.password.hint", tenants.MinPassword), Required: true, Max: tenants.MaxPassword, Auto: "new-password"},
		},
		Submit: s.T("orgs.admin.submit"), Cancel: s.Path(at, string(org.ID)),
	}}
}

func (p *Pages) showAdministrator(s *ui.Screen) error {
	org, err := p.target(s)
	if err != nil {
		return err
	}
	o, err := p.Tenants.Organization(s.Request.Context(), org.ID)
	if err != nil {
		return err
	}
	return drawNew(s, p.adminForm(s, o))
}

func (p *Pages) addAdministrator(s *ui.Screen) error {
	org, err := p.target(s)
	if err != nil {
		return err
	}
	v, err := s.Form()
	if err != nil {
		return err
	}
	if err := p.createAdministrator(s, org, v); err != nil {
		o, listErr := p.Tenants.Organization(s.Request.Context(), org.ID)
		if listErr != nil {
			return listErr
		}
		page := p.adminForm(s, o)
		return refused(s, err, &page.Form, v, func() error { return drawNew(s, page) })
	}
	return s.Done(s.Path(at, string(org.ID)), "administratoradded")
}

func (p *Pages) createAdministrator(s *ui.Screen, org *tenants.Snapshot, v ui.Values) error {
	ctx := s.Request.Context()
	roles, _, err := p.Tenants.Roles(ctx, org.ID, tenants.Query{
		Where: "name = ?", Args: []any{tenants.OrganizationAdministrator}, Page: 1, PageSize: 1,
	})
	if err != nil {
		return err
	}
	if len(roles) == 0 {
		return noAdministratorRole(s)
	}
	_, err = p.Tenants.CreateUser(ctx, s.By(), org, tenants.User{
		Name: v.Text("name"), FullName: v.Text("fullName"), Email: v.Text("email"), Role: roles[0].ID, Enabled: true,
	}, secret.Text(v.Get("password")))
	return err
}
