package machines

import (
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/oauth"
	"causeway/portal/ui"
	"causeway/tenants"
)

type sessionsPage struct {
	List *ui.List
	Rows []sessionRow
	All  bool
}

type sessionRow struct {
	oauth.Session
	RoleName string
	Here     bool // the one of this browser
	End      string
}

func (p *Pages) ownSessions(s *ui.Screen) error {
	l, err := s.List(ui.ListOf{Fields: oauth.SessionFields})
	if err != nil {
		return err
	}
	list, total, err := p.OAuth.OwnSessions(s.Request.Context(), s.By().Principal, l.Query)
	if err != nil {
		return err
	}
	l.Total = total
	page := sessionsPage{List: l}
	for _, one := range list {
		page.Rows = append(page.Rows, rowOf(s, one, s.Path(sessionsPath, string(one.ID), "end")))
	}
	return s.Show("machines/sessions", "sessions.title", page)
}

func (p *Pages) everySession(s *ui.Screen) error {
	l, err := s.List(ui.ListOf{Fields: oauth.SessionFields, Search: []string{"user.name"}})
	if err != nil {
		return err
	}
	list, total, err := p.OAuth.Sessions(s.Request.Context(), s.Org().ID, l.Query)
	if err != nil {
		return err
	}
	l.Total = total
	page, ends := sessionsPage{List: l, All: true}, s.Can(oauth.SessionEnders...)
	for _, one := range list {
		end := ""
		if ends {
			end = s.Path(everySessionPath, string(one.ID), "end")
		}
		page.Rows = append(page.Rows, rowOf(s, one, end))
	}
	return s.Show("machines/sessions", "sessions.all.title", page)
}

func rowOf(s *ui.Screen, one oauth.Session, end string) sessionRow {
	role, _ := s.Org().RoleName(one.Role)
	return sessionRow{Session: one, RoleName: role, Here: one.ID == s.By().Principal.Session, End: end}
}

// live is the session that the path names, of an organization.
func (p *Pages) live(s *ui.Screen, org tenants.OrgID) (oauth.Session, error) {
	id, err := tenants.ParseUUID(s.Param("id"))
	if err != nil {
		return oauth.Session{}, problem.Hidden()
	}
	return p.OAuth.LiveSession(s.Request.Context(), org, tenants.SessionID(id))
}

// endOwn ends a session of who looks, which is in their own organization, wherever
// they act.
func (p *Pages) endOwn(s *ui.Screen) error {
	one, err := p.live(s, s.By().Principal.Org)
	if err != nil {
		return err
	}
	if !one.Of(s.By().Principal) {
		return problem.Hidden()
	}
	return p.endIt(s, one, s.Path(sessionsPath))
}

func (p *Pages) askEnd(s *ui.Screen) error {
	one, err := p.live(s, s.Org().ID)
	if err != nil {
		return err
	}
	c := ui.Confirm{
		Question: s.T("sessions.end.question", one.Name),
		Ends:     []string{s.T("sessions.end.session"), s.T("sessions.end.work")},
		Stays:    []string{s.T("sessions.end.again")},
		Form:     ui.Form{Submit: s.T("sessions.end"), Cancel: s.Path(everySessionPath), Danger: true},
	}
	if one.Kind.Machine() {
		c.Stays = []string{s.T("sessions.end.token")}
	}
	return s.Ask(ui.Frame{Title: c.Question, Trail: []ui.Crumb{{Text: s.T("sessions.all.title"), Path: s.Path(everySessionPath)}}}, c)
}

func (p *Pages) end(s *ui.Screen) error {
	one, err := p.live(s, s.Org().ID)
	if err != nil {
		return err
	}
	return p.endIt(s, one, s.Path(everySessionPath))
}

// endIt ends a session, and with the one of this browser the visit.
func (p *Pages) endIt(s *ui.Screen, one oauth.Session, back string) error {
	if err := p.OAuth.EndSessionOf(s.Request.Context(), s.By(), one.Org, one.ID); err != nil {
		return err
	}
	if one.ID == s.By().Principal.Session {
		httpapi.DropSession(s.Context)
		return s.Done(s.Path("login"), "loggedout")
	}
	return s.Done(back, "sessionended")
}
