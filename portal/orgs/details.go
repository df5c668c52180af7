package orgs

import (
	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/tenants"
)

// noAdministratorRole is for a provider who publishes no such role.
func noAdministratorRole(s *ui.Screen) error {
	return problem.New(problem.Conflict, "%s", s.T("orgs.admin.norole", tenants.OrganizationAdministrator))
}

// figures are what an organization has, as far as who looks may count it: -1 is
// not known.
type figures struct{ Users, Accounts, Sessions int }

func (p *Pages) figures(s *ui.Screen, o tenants.ListedOrganization) (f figures, err error) {
	ctx, one := s.Request.Context(), tenants.Query{Page: 1, PageSize: 1}
	f = figures{Users: o.Users, Accounts: -1, Sessions: -1}
	if s.Can(tenants.RightAccountsView, tenants.RightAccountsManage) {
		if _, f.Accounts, err = p.OAuth.Accounts(ctx, o.ID, one); err != nil {
			return f, err
		}
	}
	if s.Can(tenants.RightSessionView, tenants.RightSessionManage) {
		_, f.Sessions, err = p.OAuth.Sessions(ctx, o.ID, one)
	}
	return f, err
}

type detailsPage struct {
	Org                           tenants.ListedOrganization
	URN, Portal, Login            string // of the organization; Portal is a path, Login an address
	Has                           figures
	Limits                        []limitShown // its own
	Tokens                        []tokenShown
	Quota                         tenants.QuotaPolicy
	Edit, State, Delete, AddAdmin bool // what who looks may do
	ShowLimits, ChangeLimits      bool
	ShowQuota, Audit              bool
}

// details is everything of an organization on one page.
func (p *Pages) details(s *ui.Screen) error {
	org, err := p.target(s)
	if err != nil {
		return err
	}
	ctx := s.Request.Context()
	o, err := p.Tenants.Organization(ctx, org.ID)
	if err != nil {
		return err
	}
	tenant := !o.System()
	page := detailsPage{
		Org: o, URN: tenants.URN("org", o.ID), Portal: portalOf(s, o.Organization),
		Tokens: p.tokensShown(s, o.Organization),
		Edit:   s.Can(tenants.OrganizationEditRights()...), State: tenant && s.Can(editOrganization...), Delete: tenant && s.Can(createOrganization...),
		AddAdmin: s.Can(manageUsers...), ShowLimits: s.Can(viewLimits...), ChangeLimits: s.Can(manageLimits...),
		ShowQuota: s.Can(viewQuotas...), Audit: s.Can(tenants.RightAuditView, tenants.RightAdministratorView),
	}
	page.Login = p.PublicURL + page.Portal
	if page.Has, err = p.figures(s, o); err != nil {
		return err
	}
	if page.ShowLimits {
		if page.Limits, err = p.ownLimits(s, o.ID); err != nil {
			return err
		}
	}
	if page.ShowQuota {
		if page.Quota, err = p.Tenants.QuotaHeld(ctx, o.ID, holder(o.Organization)); err != nil {
			return err
		}
	}
	return s.ShowFrame(200, "orgs/details", ui.Frame{D: page, Title: o.Name, Trail: trail(s)})
}

// portalOf is where an organization's people work.
func portalOf(s *ui.Screen, o tenants.Organization) string {
	if o.System() {
		return s.Base
	}
	return ui.TenantPath(o.Name)
}

func (p *Pages) editForm(s *ui.Screen, o tenants.Organization) *ui.Form {
	return &ui.Form{
		Fields: nameFields(s, o, !o.System() && s.Can(tenants.RightOrganizationName)),
		Submit: s.T("orgs.save"), Cancel: s.Path(at, string(o.ID)),
	}
}

func drawEdit(s *ui.Screen, o tenants.Organization, form *ui.Form) error {
	return s.ShowFrame(form.Status(), "orgs/form", ui.Frame{D: formPage{Form: form}, Title: s.T("orgs.edit", o.Name), Trail: trail(s, o)})
}

// formPage is a page with a form and nothing else but some words about it.
type formPage struct {
	About string
	Form  *ui.Form
}

func (p *Pages) showEdit(s *ui.Screen) error {
	org, err := p.target(s)
	if err != nil {
		return err
	}
	return drawEdit(s, org.Organization, p.editForm(s, org.Organization))
}

func (p *Pages) edit(s *ui.Screen) error {
	org, err := p.target(s)
	if err != nil {
		return err
	}
	v, err := s.Form()
	if err != nil {
		return err
	}
	_, err = p.Tenants.UpdateOrganization(s.Request.Context(), s.By(), org.ID, func(o *tenants.Organization) { applyNames(o, v) })
	if err != nil {
		form := p.editForm(s, org.Organization)
		return refused(s, err, form, v, func() error { return drawEdit(s, org.Organization, form) })
	}
	return s.Done(s.Path(at, string(org.ID)), "organizationsaved")
}
