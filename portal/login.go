package portal

import (
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/oauth"
	"causeway/portal/ui"
	"causeway/tenants"
)

// ownPages are the start and the way out.
func (p *Portal) ownPages() []ui.Page {
	any := []tenants.Right{httpapi.AnySession}
	return []ui.Page{
		{Path: "", Rights: any, Do: func(s *ui.Screen) error { return s.Show("portal/home", "home.title", nil) }},
		{Method: http.MethodPost, Path: "/logout", Rights: any, Do: p.logout},
	}
}

// doors are the ways in: who comes is not known yet.
func (p *Portal) doors() (open []httpapi.Open) {
	for _, base := range []string{"/provider", "/tenant/:org"} {
		open = append(open,
			p.kit.Open(http.MethodGet, base+"/login", p.showLogin),
			p.kit.Open(http.MethodPost, base+"/login", p.login),
		)
	}
	return open
}

type loginPage struct {
	Org    string
	Form   ui.Form
	Coming bool // somewhere else than to the start
}

func (p *Portal) showLogin(s *ui.Screen) error {
	return p.drawLogin(s, http.StatusOK, s.Query("to"), "", nil)
}

func (p *Portal) drawLogin(s *ui.Screen, status int, to, name string, fault *problem.Problem) error {
	to = p.destination(s, to)
	page := loginPage{Org: s.Param("org"), Coming: to != s.Base, Form: ui.Form{
		Action: s.Path("login"), Submit: s.T("login.submit"), Fault: fault,
		Fields: []ui.Field{
			{Kind: ui.Hidden, Name: "to", Value: to},
			{Name: "name", Label: s.T("login.name"), Value: name, Required: true, Max: tenants.MaxName, Auto: "username", Focus: name == ""},
			{Kind: ui.Secret, Name: "password", Label: s.T("login.password"), Required: true, Max: tenants.MaxPassword, Auto: "current-password", Focus: name != ""},
		},
	}}
	return s.ShowStatus(status, "portal/login", "login.title", page)
}

// login checks the password. Whatever is wrong with the name, the organization or
// the password, the page says the same.
func (p *Portal) login(s *ui.Screen) error {
	form, err := s.Form()
	if err != nil {
		return err
	}
	org := s.Param("org")
	if s.Provider() {
		org = tenants.SystemOrgName
	}
	name, password := form.Text("name"), form.Get("password")
	login := httpapi.Login{User: name, Org: org, Password: secret.Text(password)}
	_, tokens, err := p.enter(s, login)
	switch {
	case problem.Has(err, problem.Unauthenticated):
		return p.drawLogin(s, http.StatusUnauthorized, form.Get("to"), name, problem.New(problem.Unauthenticated, "%s", s.T("login.refused")))
	case problem.Has(err, problem.TooManyRequests):
		return p.drawLogin(s, http.StatusTooManyRequests, form.Get("to"), name, problem.New(problem.TooManyRequests, "%s", s.T("login.limited")))
	case err != nil:
		return err
	}
	p.endReplaced(s)
	httpapi.KeepSession(s.Context, tokens.AccessToken.Reveal())
	s.Go(p.destination(s, form.Get("to")))
	return nil
}

// endReplaced ends the session that the browser kept until now: once its cookie is
// replaced nobody could log it out. Where that fails it ends by itself.
func (p *Portal) endReplaced(s *ui.Screen) {
	token := httpapi.SessionToken(s.Request)
	if token == "" {
		return
	}
	who, err := p.config.Authenticate(s.Request.Context(), token)
	if err != nil || who.Kind != tenants.KindUser {
		return
	}
	by := httpapi.Anonymous(s.Context)
	by.Principal = who
	_ = p.config.OAuth.EndSession(s.Request.Context(), by)
}

// enter refuses what cannot be a login before anything is looked up, in the words
// for a wrong one.
func (p *Portal) enter(s *ui.Screen, login httpapi.Login) (httpapi.Call, oauth.Tokens, error) {
	if login.User == "" || login.Password == "" || len(login.User) > tenants.MaxName || len(login.Org) > tenants.MaxName ||
		len(login.Password) > tenants.MaxPassword || strings.ContainsFunc(login.User, unicode.IsControl) {
		return httpapi.Call{}, oauth.Tokens{}, problem.New(problem.Unauthenticated, "The login is not valid.")
	}
	call, tokens, err := p.config.Enter(s.Context, login, s.Provider())
	if err != nil {
		httpapi.NoteRefused(s.Context, err)
	}
	return call, tokens, err
}

// logout ends the session here and in the browser.
func (p *Portal) logout(s *ui.Screen) error {
	if err := p.config.OAuth.EndSession(s.Request.Context(), s.By()); err != nil {
		return err
	}
	httpapi.DropSession(s.Context)
	return s.Done(s.Path("login"), "loggedout")
}

// destination is where somebody goes after the login: a page of this portal, of
// this site alone, or its start.
func (p *Portal) destination(s *ui.Screen, to string) string {
	u, err := url.Parse(to)
	switch {
	case err != nil, u.IsAbs(), u.Host != "", u.Opaque != "", u.User != nil, u.Fragment != "":
	case strings.ContainsFunc(to, func(r rune) bool { return r == '\\' || unicode.IsControl(r) }):
	case !strings.HasPrefix(to, s.Base+"/"), strings.Contains(u.Path, "//"), strings.Contains(u.Path, "/.."), strings.HasPrefix(to, s.Path("login")):
	default:
		return to
	}
	return s.Base
}
