package machines

import (
	"causeway/internal/problem"
	"causeway/oauth"
	"causeway/portal/ui"
	"causeway/tenants"
)

type editPage struct {
	oauth.ServiceAccount
	Roles   []can
	RoleErr string
	Current string // the role it has, where that is not among Roles
	Form    ui.Form
}

func (p *Pages) edit(s *ui.Screen) error {
	a, err := p.account(s)
	if err != nil {
		return err
	}
	d := draft{Role: string(a.Role), SoftwareID: a.SoftwareID, Version: a.SoftwareVersion, URI: a.URI, Quota: string(a.Quota)}
	return p.drawEdit(s, a, d, nil)
}

func (p *Pages) save(s *ui.Screen) error {
	form, err := s.Form()
	if err != nil {
		return err
	}
	a, err := p.account(s)
	if err != nil {
		return err
	}
	d := readDraft(form)
	if seen := form.Get("seen"); seen != "" && seen != string(a.Role) {
		fault, err := s.Fault(problem.New(problem.Conflict, "%s", s.T("machines.edit.meanwhile")))
		if err != nil {
			return err
		}
		d.Role = string(a.Role) // what somebody decided meanwhile is not undone by who did not see it
		return p.drawEdit(s, a, d, fault)
	}
	_, err = p.OAuth.Update(s.Request.Context(), s.By(), s.Org(), a.ID, oauth.Edit{
		Role: tenants.RoleID(d.Role), SoftwareID: d.SoftwareID, SoftwareVersion: d.Version, URI: d.URI,
	})
	if err == nil && form.Has("quota") && tenants.QuotaPolicyID(d.Quota) != a.Quota && s.Can(giveQuota...) {
		_, err = p.Tenants.AssignQuota(s.Request.Context(), s.By(), s.Org().ID, holder(a), tenants.QuotaPolicyID(d.Quota))
	}
	if err != nil {
		fault, err := s.Fault(err)
		if err != nil {
			return err
		}
		return p.drawEdit(s, a, d, said(s, fault))
	}
	return s.Done(s.Path(accountsPath, string(a.ID)), "machinesaved")
}

func (p *Pages) drawEdit(s *ui.Screen, a oauth.ServiceAccount, d draft, fault *problem.Problem) error {
	page := editPage{ServiceAccount: a}
	policies, err := p.policies(s)
	if err != nil {
		return err
	}
	if page.Roles, err = p.roles(s, d.Role); err != nil {
		return err
	}
	if !chosen(page.Roles, string(a.Role)) {
		page.Current, _ = s.Org().RoleName(a.Role)
	}
	at := s.Path(accountsPath, string(a.ID))
	page.Form = ui.Form{Fields: softwareFields(s, d), Submit: s.T("machines.save"), Cancel: at}
	page.Form.Fields[0].Focus = false
	page.Form.Fields = append(page.Form.Fields, ui.Field{Kind: ui.Hidden, Name: "seen", Value: string(a.Role)})
	if len(policies) > 0 {
		page.Form.Fields = append(page.Form.Fields, quotaField(s, policies, tenants.QuotaPolicyID(d.Quota)))
	}
	if fault != nil {
		if page.Form.Blame(fault); fault.Field == "role" {
			page.RoleErr = fault.Detail
		}
	}
	return s.ShowFrame(page.Form.Status(), "machines/edit", ui.Frame{
		D: page, Title: s.T("machines.edit.title", a.Name), Trail: trail(s, ui.Crumb{Text: a.Name, Path: at}),
	})
}

func chosen(roles []can, id string) bool {
	for _, r := range roles {
		if string(r.ID) == id {
			return true
		}
	}
	return false
}

func (p *Pages) takeOwnership(s *ui.Screen) error {
	a, err := p.account(s)
	if err != nil {
		return err
	}
	if err := p.OAuth.TakeOwnership(s.Request.Context(), s.By(), s.Org(), a.ID); err != nil {
		return err
	}
	return s.Done(s.Path(accountsPath, string(a.ID)), "machinetaken")
}

func (p *Pages) askRevoke(s *ui.Screen) error {
	return p.ask(s, "revoke", func(a oauth.ServiceAccount, u use, open int) ui.Confirm {
		return ui.Confirm{
			Ends:  []string{s.T("machines.revoke.token"), s.Count("machines.ends.sessions", u.Sessions), s.T("machines.revoke.again")},
			Stays: []string{s.T("machines.revoke.account", a.Name), s.Count("machines.revoke.open", open)},
		}
	})
}

func (p *Pages) askDelete(s *ui.Screen) error {
	return p.ask(s, "delete", func(a oauth.ServiceAccount, u use, open int) ui.Confirm {
		return ui.Confirm{
			Ends: []string{
				s.T("machines.delete.account", a.Name), s.Count("machines.ends.sessions", u.Sessions),
				s.Count("machines.delete.open", open), s.T("machines.delete.id", string(a.ID)),
			},
			Stays: []string{s.T("machines.delete.history")},
		}
	})
}

// ask asks before something of an account ends. An account that somebody uses is
// probably an app that runs: then this is said first.
func (p *Pages) ask(s *ui.Screen, what string, of func(oauth.ServiceAccount, use, int) ui.Confirm) error {
	a, err := p.account(s)
	if err != nil {
		return err
	}
	u, err := p.use(s, a.ID)
	if err != nil {
		return err
	}
	open, err := p.OAuth.OpenRequests(s.Request.Context(), s.Org().ID, a.ID)
	if err != nil {
		return err
	}
	at := s.Path(accountsPath, string(a.ID))
	c := of(a, u, len(open))
	c.Question = s.T("machines."+what+".question", a.Name)
	c.Form = ui.Form{Submit: s.T("machines." + what), Cancel: at, Danger: true}
	if a.Status == oauth.Active {
		c.First = []string{s.T("machines.inuse")}
		if !u.Last.IsZero() {
			c.First = []string{s.T("machines.inuse.last", u.Last.UTC().Format("2006-01-02 15:04 UTC"))}
		}
	}
	return s.Ask(ui.Frame{Title: c.Question, Trail: trail(s, ui.Crumb{Text: a.Name, Path: at})}, c)
}

func (p *Pages) revoke(s *ui.Screen) error {
	a, err := p.account(s)
	if err != nil {
		return err
	}
	if err := p.OAuth.Revoke(s.Request.Context(), s.By(), s.Org().ID, a.ID); err != nil {
		return err
	}
	return s.Done(s.Path(accountsPath, string(a.ID)), "machinerevoked")
}

func (p *Pages) remove(s *ui.Screen) error {
	a, err := p.account(s)
	if err != nil {
		return err
	}
	if err := p.OAuth.Delete(s.Request.Context(), s.By(), s.Org().ID, a.ID); err != nil {
		return err
	}
	return s.Done(s.Path(accountsPath), "machinedeleted")
}
