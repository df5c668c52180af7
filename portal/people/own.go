package people

import (
	"net/http"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/portal/ui"
	"causeway/tenants"
)

const ownPath = "/own/password"

func (p *Pages) ownPages() []ui.Page {
	any := []tenants.Right{httpapi.AnySession}
	return []ui.Page{
		{Path: ownPath, Rights: any, Do: p.ownPassword, Menu: &ui.Menu{Section: ui.Own, Key: "password", Order: 30, Icon: "key"}},
		{Method: http.MethodPost, Path: ownPath, Rights: any, Do: p.changeOwnPassword},
	}
}

func ownForm(s *ui.Screen) ui.Form {
	return ui.Form{Submit: s.T("users.own.submit"), Fields: []ui.Field{
		{Name: "current", Kind: ui.Secret, Label: s.T("users.own.current"), Required: true, Max: tenants.MaxPassword, Auto: "current-password", Focus: true},
		passwordField(s, "users.own.new", "users.own.new.hint", true),
		{Name: "again", Kind: ui.Secret, Label: s.T("users.own.again"), Required: true, Max: tenants.MaxPassword, Auto: "new-password"},
	}}
}

func (p *Pages) ownPassword(s *ui.Screen) error {
	return showForm(s, ownForm(s), s.T("users.own.title"), nil, s.T("users.own.about"))
}

func (p *Pages) changeOwnPassword(s *ui.Screen) error {
	sent, err := s.Form()
	if err != nil {
		return err
	}
	if sent.Get("password") != sent.Get("again") {
		err = problem.New(problem.BadRequest, "%s", s.T("users.own.differ")).In("again")
	} else {
		err = p.ChangePassword(s.Context, *s.Call, secret.Text(sent.Get("current")), secret.Text(sent.Get("password")))
	}
	if err != nil {
		return refused(s, err, ownForm(s), sent, s.T("users.own.title"), nil, s.T("users.own.about"))
	}
	return s.Done(s.Path(ownPath), "passwordchanged")
}
