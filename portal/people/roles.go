package people

import (
	"net/http"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/tenants"
)

const rolesPath = base + "/roles"

func (p *Pages) rolePages() []ui.Page {
	const role = rolesPath + "/:id"
	post := http.MethodPost
	return []ui.Page{
		{Path: rolesPath, Rights: viewRoles, Do: p.roles, Menu: &ui.Menu{Section: ui.AccessControl, Key: "roles", Order: 30, Icon: "role"}},
		{Path: rolesPath + "/new", Rights: manageRoles, Do: p.newRole},
		{Method: post, Path: rolesPath + "/new", Rights: manageRoles, Do: p.createRole},
		{Path: role, Rights: viewRoles, Do: p.role},
		{Path: role + "/compare", Rights: viewRoles, Do: p.compareRoles},
		{Path: role + "/edit", Rights: manageRoles, Do: p.editRole},
		{Method: post, Path: role + "/edit", Rights: manageRoles, Do: p.replaceRole},
		{Path: role + "/delete", Rights: manageRoles, Do: p.askDeleteRole},
		{Method: post, Path: role + "/delete", Rights: manageRoles, Do: p.deleteRole},
	}
}

type rolesPage struct {
	List      *ui.List
	Roles     []tenants.Role
	CanManage bool
	New       string
}

func (p *Pages) roles(s *ui.Screen) error {
	l, err := s.List(ui.ListOf{
		Fields: tenants.RoleFields, Search: []string{"name", "description"}, Sort: "name",
		Filters: []ui.Filter{{Selector: "readOnly", Label: s.T("roles.kind"), Options: []ui.Option{
			{Value: "false", Label: s.T("roles.changeable")}, {Value: "true", Label: s.T("roles.readonly")},
		}}},
	})
	if err != nil {
		return err
	}
	page := rolesPage{List: l, CanManage: s.Can(manageRoles...), New: s.Path(rolesPath, "new")}
	if page.Roles, l.Total, err = p.Tenants.Roles(s.Request.Context(), s.Org().ID, l.Query); err != nil {
		return err
	}
	return s.Show("people/roles", "roles.title", page)
}

type rolePage struct {
	Role       tenants.Role
	Tree       tree
	Hidden     int // rights that allow nothing here, and are not shown
	Holders    holders
	Held       string
	Users      string // the list of those who hold it
	At         string
	Why        string // it cannot be changed; empty if it can
	CanManage  bool
	Others     []tenants.Role
	History    []change
	NoMachines int
}

// pathRole is the role that the path names.
func (p *Pages) pathRole(s *ui.Screen) (tenants.Role, error) {
	id, err := tenants.ParseID[tenants.RoleID]("role", s.Param("id"))
	if err != nil {
		return tenants.Role{}, err
	}
	return p.Tenants.Role(s.Request.Context(), s.Org().ID, id)
}

func (p *Pages) role(s *ui.Screen) error {
	role, err := p.pathRole(s)
	if err != nil {
		return err
	}
	// What is not available here is not shown, as the API does not show it.
	effective := s.Org().Effective(role.Rights)
	page := rolePage{
		Role: role, Tree: holding(effective, effective, s.Org().Available()), At: s.Path(rolesPath, string(role.ID)),
		Hidden:    tenants.SetOf(role.Rights...).Minus(effective).Len(),
		CanManage: s.Can(manageRoles...), NoMachines: effective.Minus(tenants.MachineRights()).Len(),
	}
	if page.Holders, err = p.holders(s, s.Org().ID, role.ID); err != nil {
		return err
	}
	page.Held = page.Holders.words(s)
	if s.Can(viewUsers...) {
		page.Users = s.Path(usersPath) + "?roleEntityRefs.id=" + string(role.ID)
	}
	if page.CanManage {
		if page.Why, err = p.whyNot(s, role); err != nil {
			return err
		}
	}
	for _, other := range s.Org().Roles() {
		if other.ID != role.ID {
			page.Others = append(page.Others, other)
		}
	}
	if page.History, err = p.history(s, journal.KindRole, string(role.ID)); err != nil {
		return err
	}
	return s.ShowFrame(http.StatusOK, "people/role", ui.Frame{D: page, Title: role.Name, Trail: rolesTrail(s)})
}

func rolesTrail(s *ui.Screen, role ...tenants.Role) []ui.Crumb {
	trail := []ui.Crumb{{Text: s.T("roles.title"), Path: s.Path(rolesPath)}}
	for _, r := range role {
		trail = append(trail, ui.Crumb{Text: r.Name, Path: s.Path(rolesPath, string(r.ID))})
	}
	return trail
}

// whyNot says why whoever looks cannot change a role; empty if they can.
func (p *Pages) whyNot(s *ui.Screen, role tenants.Role) (string, error) {
	switch {
	case role.Global:
		return s.T("roles.why.global"), nil
	case role.ReadOnly:
		return s.T("roles.why.readonly"), nil
	}
	giving, err := p.Tenants.Giving(s.Request.Context(), s.By(), s.Org().ID)
	if err != nil {
		return "", err
	}
	if lacking := giving.Lacking(role, tenants.KindUser); len(lacking) > 0 {
		return s.T("roles.why.lacking", string(lacking[0])), nil
	}
	return "", nil
}

type comparePage struct {
	Role, With tenants.Role
	Others     []tenants.Role
	Compared   bool
	Diff       difference
	At         string
}

// compareRoles shows what one role has and another has not.
func (p *Pages) compareRoles(s *ui.Screen) error {
	role, err := p.pathRole(s)
	if err != nil {
		return err
	}
	page := comparePage{Role: role, Others: s.Org().Roles(), At: s.Path(rolesPath)}
	if with := s.Query("with"); with != "" {
		id, err := tenants.ParseID[tenants.RoleID]("role", with)
		if err != nil {
			return err
		}
		if page.With, err = p.Tenants.Role(s.Request.Context(), s.Org().ID, id); err != nil {
			return err
		}
		page.Compared, page.Diff = true, differ(s.Org().Effective(role.Rights), s.Org().Effective(page.With.Rights))
	}
	return s.ShowFrame(http.StatusOK, "people/compare", ui.Frame{D: page, Title: s.T("roles.compare.title"), Trail: rolesTrail(s, role)})
}

func (p *Pages) askDeleteRole(s *ui.Screen) error { return p.showDeleteRole(s, nil) }

func (p *Pages) showDeleteRole(s *ui.Screen, fault *problem.Problem) error {
	role, err := p.pathRole(s)
	if err != nil {
		return err
	}
	h, err := p.holders(s, s.Org().ID, role.ID)
	if err != nil {
		return err
	}
	ask := ui.Confirm{
		Question: s.T("roles.delete.title", role.Name),
		Ends:     []string{s.T("roles.delete.ends", len(role.Rights))},
		Stays:    []string{s.T("roles.delete.stays")},
		Form:     ui.Form{Submit: s.T("roles.delete.submit"), Cancel: s.Path(rolesPath, string(role.ID)), Fault: fault},
	}
	if h.some() {
		ask.First = []string{s.T("roles.delete.held", h.words(s))}
	}
	return s.Ask(ui.Frame{Title: ask.Question, Trail: rolesTrail(s, role)}, ask)
}

func (p *Pages) deleteRole(s *ui.Screen) error {
	role, err := p.pathRole(s)
	if err != nil {
		return err
	}
	if err := p.Tenants.DeleteRole(s.Request.Context(), s.By(), s.Org(), role.ID); err != nil {
		fault, err := s.Fault(err)
		if err != nil {
			return err
		}
		return p.showDeleteRole(s, fault)
	}
	return s.Done(s.Path(rolesPath), "roledeleted")
}
