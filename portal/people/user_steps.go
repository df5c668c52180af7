package people

import (
	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/tenants"
)

// userStep is something that is done to a user after it was said what it means.
type userStep struct {
	*Pages
	name string // of its address and its texts
	did  string
	// means fills in what ends and what stays.
	means func(s *ui.Screen, u tenants.User, ask *ui.Confirm) error
	act   func(s *ui.Screen, u tenants.User) error
	gone  bool // there is no user to show afterwards
}

func (p *Pages) userSteps() []userStep {
	edit := func(e tenants.UserEdit) func(*ui.Screen, tenants.User) error {
		return func(s *ui.Screen, u tenants.User) error {
			_, err := p.Tenants.UpdateUser(s.Request.Context(), s.By(), s.Org(), u.ID, e)
			return err
		}
	}
	enabled := func(is bool) tenants.UserEdit {
		return tenants.UserEdit{Change: func(u *tenants.User) { u.Enabled = is }}
	}
	return []userStep{
		{Pages: p, name: "enable", did: "userenabled", act: edit(enabled(true)), means: p.stays("users.enable.stays")},
		{Pages: p, name: "unlock", did: "userunlocked", act: edit(tenants.UserEdit{Unlock: true}), means: p.stays("users.unlock.stays")},
		{Pages: p, name: "disable", did: "userdisabled", act: edit(enabled(false)), means: p.meansDisabling},
		{Pages: p, name: "take-ownership", did: "usertaken", means: p.stays("users.take-ownership.stays"), act: func(s *ui.Screen, u tenants.User) error {
			return p.Tenants.TakeOwnership(s.Request.Context(), s.By(), s.Org(), u.ID)
		}},
		{Pages: p, name: "delete", did: "userdeleted", gone: true, means: p.meansDeleting, act: func(s *ui.Screen, u tenants.User) error {
			return p.Tenants.DeleteUser(s.Request.Context(), s.By(), s.Org(), u.ID)
		}},
	}
}

func (p *Pages) stays(key string) func(*ui.Screen, tenants.User, *ui.Confirm) error {
	return func(s *ui.Screen, _ tenants.User, ask *ui.Confirm) error {
		ask.Stays = []string{s.T(key)}
		return nil
	}
}

// sessionsEnd says which sessions end, with their number where it may be seen.
func (p *Pages) sessionsEnd(s *ui.Screen, u tenants.User) ([]string, ends, error) {
	e, err := p.endsWith(s, u)
	if err != nil {
		return nil, e, err
	}
	if e.Sessions < 0 {
		return []string{s.T("users.ends.sessions")}, e, nil
	}
	return []string{s.Count("users.ends.sessions", e.Sessions)}, e, nil
}

func (p *Pages) meansDisabling(s *ui.Screen, u tenants.User, ask *ui.Confirm) (err error) {
	ask.Ends, _, err = p.sessionsEnd(s, u)
	ask.Ends = append(ask.Ends, s.T("users.disable.ends"))
	ask.Stays = []string{s.T("users.disable.stays")}
	return err
}

func (p *Pages) meansDeleting(s *ui.Screen, u tenants.User, ask *ui.Confirm) error {
	list, e, err := p.sessionsEnd(s, u)
	if err != nil {
		return err
	}
	if e.Tokens < 0 {
		list = append(list, s.T("users.ends.tokens"))
	} else {
		list = append(list, s.Count("users.ends.tokens", e.Tokens))
	}
	ask.Ends = append(list, s.T("users.delete.ends"))
	ask.Stays = []string{s.T("users.delete.stays")}
	return nil
}

func (e userStep) ask(s *ui.Screen) error { return e.show(s, nil) }

func (e userStep) show(s *ui.Screen, fault *problem.Problem) error {
	u, err := e.pathUser(s)
	if err != nil {
		return err
	}
	key := "users." + e.name
	ask := ui.Confirm{Question: s.T(key+".title", u.Name), Form: ui.Form{Submit: s.T(key), Cancel: s.Path(usersPath, string(u.ID)), Fault: fault}}
	if err := e.means(s, u, &ask); err != nil {
		return err
	}
	return s.Ask(ui.Frame{Title: ask.Question, Trail: usersTrail(s, u)}, ask)
}

func (e userStep) do(s *ui.Screen) error {
	u, err := e.pathUser(s)
	if err != nil {
		return err
	}
	if err := e.act(s, u); err != nil {
		fault, err := s.Fault(err)
		if err != nil {
			return err
		}
		return e.show(s, fault)
	}
	if e.gone {
		return s.Done(s.Path(usersPath), e.did)
	}
	return s.Done(s.Path(usersPath, string(u.ID)), e.did)
}
