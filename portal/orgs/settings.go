package orgs

import (
	"net/http"
	"strconv"

	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/tenants"
)

var (
	editLockout = []tenants.Right{tenants.RightOrganizationPasswords}
	editTokens  = []tenants.Right{tenants.RightOrganizationOAuth}
	// editCompute opens the form; what is changed in it decides which of them it takes.
	editCompute = []tenants.Right{tenants.RightOrganizationEdit, tenants.RightOrganizationLeases, tenants.RightOrganizationQuotas}
)

const settingsAt = "/administration/settings"

func (p *Pages) settingsPages() []ui.Page {
	pages := []ui.Page{{
		Path: settingsAt, Rights: viewOrganization, Do: p.settings,
		Menu: &ui.Menu{Section: ui.Organizations, Key: "settings", Order: 20, Icon: "settings"},
	}}
	for _, g := range []settingsGroup{
		{"general", editOrganization, generalForm, applyGeneral},
		{"lockout", editLockout, lockoutForm, applyLockout},
		{"tokens", editTokens, p.tokensForm, applyTokens},
		{"compute", editCompute, computeForm, applyCompute},
	} {
		path := settingsAt + "/" + g.name
		pages = append(pages,
			ui.Page{Path: path, Rights: g.rights, Do: func(s *ui.Screen) error {
				form, _ := g.formOf(s, s.Org().Organization)
				return g.draw(s, form)
			}},
			ui.Page{Method: http.MethodPost, Path: path, Rights: g.rights, Do: func(s *ui.Screen) error { return p.saveSettings(s, g) }},
		)
	}
	return pages
}

// settingsGroup is settings that are edited together.
type settingsGroup struct {
	name   string
	rights []tenants.Right
	form   func(*ui.Screen, tenants.Organization) *ui.Form
	// apply puts what was sent into the organization, or says what of it cannot be read.
	apply func(*ui.Screen, ui.Values) (func(*tenants.Organization), error)
}

type settingsPage struct {
	Org                      tenants.Organization
	Tokens                   []tokenShown
	General, Lockout, Rotate bool // what who looks may edit
	Compute                  bool
}

func (p *Pages) settings(s *ui.Screen) error {
	o := s.Org().Organization
	return s.Show("orgs/settings", "settings.title", settingsPage{
		Org: o, Tokens: p.tokensShown(s, o),
		General: s.Can(editOrganization...), Lockout: s.Can(editLockout...), Rotate: s.Can(editTokens...), Compute: s.Can(editCompute...),
	})
}

// formOf is the group's form for o, and what it shows.
func (g settingsGroup) formOf(s *ui.Screen, o tenants.Organization) (form *ui.Form, shown []any) {
	form = g.form(s, o)
	for _, f := range form.Fields {
		shown = append(shown, f.Value, f.Checked)
	}
	form.Fields = append(form.Fields, ui.Seen(shown))
	return form, shown
}

func (g settingsGroup) draw(s *ui.Screen, form *ui.Form) error {
	form.Submit, form.Cancel = s.T("orgs.save"), s.Path(settingsAt)
	return s.ShowFrame(form.Status(), "orgs/form", ui.Frame{
		D: formPage{About: s.T("settings." + g.name + ".about"), Form: form}, Title: s.T("settings." + g.name),
		Trail: []ui.Crumb{{Text: s.T("settings.title"), Path: s.Path(settingsAt)}},
	})
}

func (p *Pages) saveSettings(s *ui.Screen, g settingsGroup) error {
	v, err := s.Form()
	if err != nil {
		return err
	}
	change, err := g.apply(s, v)
	if err == nil {
		var now tenants.Organization
		meanwhile := false
		now, err = p.Tenants.UpdateOrganization(s.Request.Context(), s.By(), s.Org().ID, func(o *tenants.Organization) {
			_, shown := g.formOf(s, *o)
			if meanwhile = v.Meanwhile(shown); !meanwhile {
				change(o)
			}
		})
		if err == nil && meanwhile {
			form, _ := g.formOf(s, now)
			form.Blame(s.Meanwhile())
			return g.draw(s, form)
		}
		err = p.inWords(s, err)
	}
	if err != nil {
		form, _ := g.formOf(s, s.Org().Organization)
		return refused(s, err, form, v, func() error { return g.draw(s, form) })
	}
	return s.Done(s.Path(settingsAt), "settingssaved")
}

func generalForm(s *ui.Screen, o tenants.Organization) *ui.Form {
	return &ui.Form{Fields: nameFields(s, o, false)}
}

func applyGeneral(_ *ui.Screen, v ui.Values) (func(*tenants.Organization), error) {
	return func(o *tenants.Organization) {
		o.DisplayName, o.Description = v.Text("displayName"), v.Text("description")
	}, nil
}

func lockoutForm(s *ui.Screen, o tenants.Organization) *ui.Form {
	p, usual := o.Settings.Passwords, tenants.PasswordPolicy{}
	number := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	return &ui.Form{Fields: []ui.Field{
		{Name: "lockoutEnabled", Kind: ui.Box, Label: s.T("settings.lockout.enabled"), Checked: p.LockoutEnabled},
		{Name: "invalidLogins", Kind: ui.Number, Label: s.T("settings.lockout.attempts"), Hint: s.T("settings.lockout.attempts.hint", usual.Attempts()), Bare: true, Value: number(p.InvalidLogins)},
		{Name: "lockoutIntervalMinutes", Kind: ui.Number, Label: s.T("settings.lockout.minutes"), Hint: s.T("settings.lockout.minutes.hint", int(usual.LockedFor().Minutes())), Bare: true, Value: number(p.LockoutIntervalMinutes)},
	}}
}

func applyLockout(s *ui.Screen, v ui.Values) (func(*tenants.Organization), error) {
	policy := tenants.PasswordPolicy{LockoutEnabled: v.Is("lockoutEnabled")}
	for name, to := range map[string]*int{"invalidLogins": &policy.InvalidLogins, "lockoutIntervalMinutes": &policy.LockoutIntervalMinutes} {
		text := v.Text(name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, problem.New(problem.BadRequest, "%s", s.T("settings.nonumber")).In(name)
		}
		*to = n
	}
	return func(o *tenants.Organization) { o.Settings.Passwords = policy }, nil
}
