package people

import (
	"cmp"
	"strings"

	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/oauth"
	"causeway/portal/ui"
	"causeway/tenants"
)

var allTokens = oauth.Whose{All: true}

// maxShown is how many roles are shown to choose from with what they are for; more
// are a list of names.
const maxShown = 8

// roleField offers the roles that whoever looks can give, and the one that the user
// has.
func (p *Pages) roleField(s *ui.Screen, has tenants.RoleID) (ui.Field, error) {
	roles, err := p.Tenants.RolesToGive(s.Request.Context(), s.By(), s.Org().ID, tenants.KindUser)
	f := ui.Field{Name: "role", Label: s.T("users.role"), Hint: s.T("users.role.hint"), Kind: ui.Choice, Required: true}
	found := has == ""
	for _, r := range roles {
		rights := s.Count("rights.count", s.Org().Effective(r.Rights).Len())
		hint := rights
		if r.Description != "" {
			hint = r.Description + " · " + rights
		}
		f.Options = append(f.Options, ui.Option{Value: string(r.ID), Label: r.Name, Hint: hint, Chosen: r.ID == has})
		found = found || r.ID == has
	}
	if !found {
		f.Options = append([]ui.Option{{Value: string(has), Label: show(s, tenants.User{Role: has}).RoleName, Hint: s.T("users.role.has"), Chosen: true}}, f.Options...)
	}
	if len(f.Options) <= maxShown {
		f.Kind = ui.Radio
	} else if has == "" {
		f.Options = append([]ui.Option{{Label: s.T("users.role.choose")}}, f.Options...)
	}
	return f, err
}

func textFields(s *ui.Screen, u tenants.User) []ui.Field {
	return []ui.Field{
		{Name: "fullName", Label: s.T("users.fullname"), Value: u.FullName, Max: 256},
		{Name: "email", Label: s.T("users.email"), Value: u.Email, Max: 256},
		{Name: "description", Label: s.T("users.description"), Value: u.Description, Max: 1000},
	}
}

func passwordField(s *ui.Screen, label, hint string, required bool) ui.Field {
	return ui.Field{Name: "password", Kind: ui.Secret, Label: s.T(label), Hint: s.T(hint, tenants.MinPassword), Required: required, Max: tenants.MaxPassword, Auto: "new-password"}
}

// identityField offers who checks a password: users of others are kept here with their
// role, and have none here.
func identityField(s *ui.Screen) ui.Field {
	f := ui.Field{Name: "providerType", Kind: ui.Choice, Label: s.T("users.provider"), Hint: s.T("users.provider.hint")}
	for _, provider := range []string{tenants.ProviderIntegrated, tenants.ProviderLDAP, tenants.ProviderSAML, tenants.ProviderOAuth} {
		f.Options = append(f.Options, ui.Option{Value: provider, Label: s.T("users.provider." + strings.ToLower(provider))})
	}
	return f
}

func (p *Pages) newForm(s *ui.Screen) (ui.Form, error) {
	role, err := p.roleField(s, "")
	name := ui.Field{Name: "name", Label: s.T("users.name"), Hint: s.T("users.name.hint"), Required: true, Max: tenants.MaxName, Focus: true}
	fields := append([]ui.Field{name}, textFields(s, tenants.User{})...)
	fields = append(fields, role, identityField(s), passwordField(s, "users.password", "users.password.hint", false),
		ui.Field{Name: "enabled", Kind: ui.Box, Label: s.T("users.enabled.box"), Hint: s.T("users.enabled.hint"), Checked: true})
	return ui.Form{Fields: fields, Submit: s.T("users.new.submit"), Cancel: s.Path(usersPath)}, err
}

func (p *Pages) newUser(s *ui.Screen) error {
	form, err := p.newForm(s)
	if err != nil {
		return err
	}
	return showForm(s, form, s.T("users.new"), usersTrail(s))
}

// formPage is a page that is a form.
type formPage struct {
	Form ui.Form
	Note string
}

func showForm(s *ui.Screen, form ui.Form, title string, trail []ui.Crumb, note ...string) error {
	page := formPage{Form: form}
	for _, n := range note {
		page.Note = n
	}
	return s.ShowFrame(form.Status(), "people/form", ui.Frame{D: page, Title: title, Trail: trail})
}

// refused shows a form again with what was sent and what was wrong with it.
func refused(s *ui.Screen, err error, form ui.Form, sent ui.Values, title string, trail []ui.Crumb, note ...string) error {
	if err := s.Refused(&form, sent, err); err != nil {
		return err
	}
	return showForm(s, form, title, trail, note...)
}

// takeUser puts what a form says of a user into u.
func takeUser(v ui.Values, u *tenants.User) {
	u.FullName, u.Email, u.Description = v.Text("fullName"), v.Text("email"), v.Text("description")
	u.Role = tenants.RoleID(v.Get("role"))
}

func (p *Pages) createUser(s *ui.Screen) error {
	form, err := p.newForm(s)
	if err != nil {
		return err
	}
	sent, err := s.Form()
	if err != nil {
		return err
	}
	u := tenants.User{Name: sent.Text("name"), ProviderType: cmp.Or(sent.Get("providerType"), tenants.ProviderIntegrated), Enabled: sent.Is("enabled")}
	takeUser(sent, &u)
	switch {
	case u.Role == "":
		err = problem.New(problem.BadRequest, "%s", s.T("users.norole")).In("role")
	case sent.Get("password") == "" && !u.Imported():
		err = problem.New(problem.BadRequest, "%s", s.T("users.password.none")).In("password")
	case sent.Get("password") != "" && u.Imported():
		err = problem.New(problem.BadRequest, "%s", s.T("users.password.imported")).In("password")
	default:
		u, err = p.Tenants.CreateUser(s.Request.Context(), s.By(), s.Org(), u, secret.Text(sent.Get("password")))
	}
	if err != nil {
		return refused(s, err, form, sent, s.T("users.new"), usersTrail(s))
	}
	return s.Done(s.Path(usersPath, string(u.ID)), "usercreated")
}

func (p *Pages) editForm(s *ui.Screen, u tenants.User, why string) (ui.Form, error) {
	form := ui.Form{Fields: textFields(s, u), Submit: s.T("users.save"), Cancel: s.Path(usersPath, string(u.ID))}
	if why != "" {
		return form, nil
	}
	role, err := p.roleField(s, u.Role)
	form.Fields = append(form.Fields, role, ui.Field{Name: "seen", Kind: ui.Hidden, Value: string(u.Role)})
	if !u.Imported() && !self(s, u) {
		form.Fields = append(form.Fields, passwordField(s, "users.newpassword", "users.newpassword.hint", false))
	}
	return form, err
}

func (p *Pages) editUser(s *ui.Screen) error {
	u, err := p.pathUser(s)
	if err != nil {
		return err
	}
	why, err := p.cannotRule(s, u)
	if err != nil {
		return err
	}
	form, err := p.editForm(s, u, why)
	if err != nil {
		return err
	}
	return showForm(s, form, s.T("users.edit", u.Name), usersTrail(s, u), why)
}

func (p *Pages) updateUser(s *ui.Screen) error {
	u, err := p.pathUser(s)
	if err != nil {
		return err
	}
	why, err := p.cannotRule(s, u)
	if err != nil {
		return err
	}
	form, err := p.editForm(s, u, why)
	if err != nil {
		return err
	}
	sent, err := s.Form()
	if err != nil {
		return err
	}
	edit := tenants.UserEdit{Password: secret.Text(sent.Get("password")), Change: func(after *tenants.User) {
		role := after.Role
		if takeUser(sent, after); after.Role == "" { // the form had no such field
			after.Role = role
		}
	}}
	seen := sent.Get("seen")
	switch {
	case seen != "" && seen != string(u.Role): // what somebody decided meanwhile is not undone by who did not see it
		err = problem.New(problem.Conflict, "%s", s.T("users.meanwhile"))
		sent.Del("seen")
		sent.Del("role")
	case self(s, u) && edit.Password != "": // which takes the current one
		err = cannot(s.T("users.ownpassword"))
	default:
		_, err = p.Tenants.UpdateUser(s.Request.Context(), s.By(), s.Org(), u.ID, edit)
	}
	if err != nil {
		return refused(s, err, form, sent, s.T("users.edit", u.Name), usersTrail(s, u), why)
	}
	return s.Done(s.Path(usersPath, string(u.ID)), "usersaved")
}
