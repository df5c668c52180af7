package people

import (
	"net/http"

	"causeway/internal/journal"
	"causeway/portal/ui"
	"causeway/tenants"
)

const usersPath = base + "/users"

func (p *Pages) userPages() []ui.Page {
	const user = usersPath + "/:id"
	post := http.MethodPost
	pages := []ui.Page{
		{Path: usersPath, Rights: viewUsers, Do: p.users, Menu: &ui.Menu{Section: ui.AccessControl, Key: "users", Order: 20, Icon: "users"}},
		{Path: usersPath + "/new", Rights: manageUsers, Do: p.newUser},
		{Method: post, Path: usersPath + "/new", Rights: manageUsers, Do: p.createUser},
		{Path: user, Rights: viewUsers, Do: p.user},
		{Path: user + "/edit", Rights: manageUsers, Do: p.editUser},
		{Method: post, Path: user + "/edit", Rights: manageUsers, Do: p.updateUser},
	}
	for _, end := range p.userSteps() {
		pages = append(pages,
			ui.Page{Path: user + "/" + end.name, Rights: manageUsers, Do: end.ask},
			ui.Page{Method: post, Path: user + "/" + end.name, Rights: manageUsers, Do: end.do},
		)
	}
	return pages
}

type usersPage struct {
	List  *ui.List
	Users []userShown
	New   string // empty for whoever cannot make one
}

// userShown is a user with the name of the role.
type userShown struct {
	tenants.User
	RoleName string
}

func show(s *ui.Screen, u tenants.User) userShown {
	name, ok := s.Org().RoleName(u.Role)
	if !ok {
		name = s.T("users.withdrawn")
	}
	return userShown{u, name}
}

func (p *Pages) users(s *ui.Screen) error {
	var roles []ui.Option
	for _, r := range s.Org().Roles() {
		roles = append(roles, ui.Option{Value: string(r.ID), Label: r.Name})
	}
	yes := func(yes, no string) []ui.Option {
		return []ui.Option{{Value: "true", Label: s.T(yes)}, {Value: "false", Label: s.T(no)}}
	}
	l, err := s.List(ui.ListOf{
		Fields: tenants.UserFields, Search: []string{"username", "fullName", "email"}, Sort: "username",
		Filters: []ui.Filter{
			{Selector: "enabled", Label: s.T("users.state"), Options: yes("users.enabled", "users.disabled")},
			{Selector: "locked", Label: s.T("users.lockout"), Options: yes("users.locked", "users.notlocked")},
			{Selector: "roleEntityRefs.id", Label: s.T("users.role"), Options: roles},
		},
	})
	if err != nil {
		return err
	}
	list, total, err := p.Tenants.Users(s.Request.Context(), s.Org().ID, l.Query)
	if err != nil {
		return err
	}
	page := usersPage{List: l}
	l.Total = total
	for _, u := range list {
		page.Users = append(page.Users, show(s, u))
	}
	if s.Can(manageUsers...) {
		page.New = s.Path(usersPath, "new")
	}
	return s.Show("people/users", "users.title", page)
}

type userPage struct {
	userShown
	At, RoleAt string
	Self       bool
	CanManage  bool
	Why        string // whoever looks cannot rule over the user
	Allows     *tree  // what the role allows; nil for whoever may not see that
	Ends       ends
	History    []change
}

// pathUser is the user that the path names.
func (p *Pages) pathUser(s *ui.Screen) (tenants.User, error) {
	id, err := tenants.ParseID[tenants.UserID]("user", s.Param("id"))
	if err != nil {
		return tenants.User{}, err
	}
	return p.Tenants.User(s.Request.Context(), s.Org().ID, id)
}

func self(s *ui.Screen, u tenants.User) bool { return s.Call.Principal.ID == string(u.ID) }

func (p *Pages) user(s *ui.Screen) error {
	u, err := p.pathUser(s)
	if err != nil {
		return err
	}
	page := userPage{userShown: show(s, u), At: s.Path(usersPath, string(u.ID)), Self: self(s, u), CanManage: s.Can(manageUsers...)}
	if s.Can(viewRoles...) {
		rights := s.Org().RightsOf(u.Role, tenants.KindUser)
		allows := holding(rights, rights, rights)
		page.Allows = &allows
		if _, ok := s.Org().RoleName(u.Role); ok {
			page.RoleAt = s.Path(rolesPath, string(u.Role))
		}
	}
	if page.CanManage {
		if page.Why, err = p.cannotRule(s, u); err != nil {
			return err
		}
	}
	if page.Ends, err = p.endsWith(s, u); err != nil {
		return err
	}
	if page.History, err = p.history(s, journal.KindUser, string(u.ID)); err != nil {
		return err
	}
	return s.ShowFrame(http.StatusOK, "people/user", ui.Frame{D: page, Title: u.Name, Trail: usersTrail(s)})
}

func usersTrail(s *ui.Screen, of ...tenants.User) []ui.Crumb {
	trail := []ui.Crumb{{Text: s.T("users.title"), Path: s.Path(usersPath)}}
	for _, u := range of {
		trail = append(trail, ui.Crumb{Text: u.Name, Path: s.Path(usersPath, string(u.ID))})
	}
	return trail
}

// cannotRule says why whoever looks cannot change what a user can do; empty if they
// can.
func (p *Pages) cannotRule(s *ui.Screen, u tenants.User) (string, error) {
	if _, ok := s.Org().RoleName(u.Role); !ok {
		return "", nil // withdrawn: it allows nothing
	}
	ctx := s.Request.Context()
	role, err := p.Tenants.Role(ctx, s.Org().ID, u.Role)
	if err != nil {
		return "", err
	}
	giving, err := p.Tenants.Giving(ctx, s.By(), s.Org().ID)
	if err != nil {
		return "", err
	}
	if lacking := giving.Lacking(role, tenants.KindUser); len(lacking) > 0 {
		return s.T("users.more", string(lacking[0])), nil
	}
	return "", nil
}

// ends counts what a user has that ends with the user. What whoever looks may not
// see is -1.
type ends struct{ Sessions, Tokens int }

func (p *Pages) endsWith(s *ui.Screen, u tenants.User) (e ends, err error) {
	ctx, org := s.Request.Context(), s.Org().ID
	e = ends{-1, -1}
	if s.Can(tenants.RightSessionView, tenants.RightSessionManage) {
		if _, e.Sessions, err = p.OAuth.Sessions(ctx, org, one("principal = ?", string(u.ID))); err != nil {
			return e, err
		}
	}
	if s.Can(tenants.RightTokenManageAll) {
		_, e.Tokens, err = p.OAuth.Tokens(ctx, org, allTokens, one("owner_id = ?", string(u.ID)))
	}
	return e, err
}
