package orgs

import (
	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/tenants"
)

// listed is the organization that the path names, with what is counted of it.
func (p *Pages) listed(s *ui.Screen) (o tenants.ListedOrganization, has figures, err error) {
	org, err := p.target(s)
	if err != nil {
		return o, has, err
	}
	if o, err = p.Tenants.Organization(s.Request.Context(), org.ID); err != nil {
		return o, has, err
	}
	has, err = p.figures(s, o)
	return o, has, err
}

// numbered is a text with a number in it, or its words without one where the number
// is not known.
func numbered(s *ui.Screen, key string, n int) string {
	if n < 0 {
		return s.T(key + ".some")
	}
	return s.Count(key, n)
}

func (p *Pages) askDisable(s *ui.Screen) error {
	o, has, err := p.listed(s)
	if err != nil {
		return err
	}
	return drawDisable(s, o, has, nil)
}

func drawDisable(s *ui.Screen, o tenants.ListedOrganization, has figures, fault *problem.Problem) error {
	title := s.T("orgs.disable.title", o.Name)
	ends := []string{s.T("orgs.disable.logins"), s.T("orgs.disable.tokens")}
	if has.Sessions != 0 {
		ends = append([]string{numbered(s, "orgs.disable.sessions", has.Sessions)}, ends...)
	}
	return s.Ask(ui.Frame{Title: title, Trail: trail(s, o.Organization)}, ui.Confirm{
		Question: title,
		Ends:     ends,
		Stays:    []string{s.T("orgs.disable.stays"), s.T("orgs.disable.refresh")},
		Form:     ui.Form{Submit: s.T("orgs.disable"), Cancel: s.Path(at, string(o.ID)), Fault: fault},
	})
}

func (p *Pages) disable(s *ui.Screen) error {
	o, has, err := p.listed(s)
	if err != nil {
		return err
	}
	if err := p.Tenants.DisableOrganization(s.Request.Context(), s.By(), o.ID); err != nil {
		fault, err := s.Fault(err)
		if err != nil {
			return err
		}
		return drawDisable(s, o, has, fault)
	}
	return s.Done(s.Path(at, string(o.ID)), "organizationdisabled")
}

func (p *Pages) enable(s *ui.Screen) error {
	org, err := p.target(s)
	if err != nil {
		return err
	}
	if err := p.Tenants.EnableOrganization(s.Request.Context(), s.By(), org.ID); err != nil {
		return err
	}
	return s.Done(s.Path(at, string(org.ID)), "organizationenabled")
}

func (p *Pages) askDelete(s *ui.Screen) error {
	o, has, err := p.listed(s)
	if err != nil {
		return err
	}
	return drawDelete(s, o, has, deleteForm(s, o))
}

func deleteForm(s *ui.Screen, o tenants.ListedOrganization) *ui.Form {
	return &ui.Form{
		Submit: s.T("orgs.delete"), Cancel: s.Path(at, string(o.ID)),
		Fields: []ui.Field{{Name: "name", Label: s.T("orgs.delete.name"), Hint: s.T("orgs.delete.name.hint", o.Name), Required: true, Max: tenants.MaxName}},
	}
}

func drawDelete(s *ui.Screen, o tenants.ListedOrganization, has figures, form *ui.Form) error {
	title := s.T("orgs.delete.title", o.Name)
	var first []string
	if o.Enabled {
		first = []string{s.T("orgs.delete.enabled")}
	}
	return s.Ask(ui.Frame{Title: title, Trail: trail(s, o.Organization)}, ui.Confirm{
		Question: title, First: first,
		Ends: []string{
			numbered(s, "orgs.delete.users", has.Users), numbered(s, "orgs.delete.accounts", has.Accounts),
			s.T("orgs.delete.apps"), s.T("orgs.delete.rest"), s.T("orgs.delete.associations"), s.T("orgs.delete.forever"),
		},
		Stays: []string{s.T("orgs.delete.audit"), s.T("orgs.delete.free")},
		Form:  *form,
	})
}

// delete asks for the organization's name: it is the one change that nobody can
// take back.
func (p *Pages) delete(s *ui.Screen) error {
	o, has, err := p.listed(s)
	if err != nil {
		return err
	}
	v, err := s.Form()
	if err != nil {
		return err
	}
	var task tenants.Task
	if v.Text("name") != o.Name {
		err = problem.New(problem.BadRequest, "%s", s.T("orgs.delete.mismatch", o.Name)).In("name")
	} else {
		task, err = p.Tenants.DeleteOrganization(s.Request.Context(), s.By(), o.ID)
	}
	if err != nil {
		form := deleteForm(s, o)
		return refused(s, err, form, v, func() error { return drawDelete(s, o, has, form) })
	}
	return s.Done(s.Path(tasksAt, string(task.ID)), "organizationdeleted")
}
