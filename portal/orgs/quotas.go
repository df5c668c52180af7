package orgs

import (
	"context"
	"net/http"

	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/tenants"
)

// No machine has the right to manage quotas (R7).
var (
	viewQuotas   = []tenants.Right{tenants.RightQuotaView, tenants.RightQuotaManage}
	manageQuotas = []tenants.Right{tenants.RightQuotaManage}
)

const quotasAt = "/administration/quotas"

func (p *Pages) quotaPages() []ui.Page {
	const one = quotasAt + "/policy/:id"
	return []ui.Page{
		{Path: quotasAt, Rights: viewQuotas, Do: p.quotas,
			Menu: &ui.Menu{Section: ui.Organizations, Key: "quotas", Order: 30, Icon: "limit"}},
		{Path: quotasAt + "/new", Rights: manageQuotas, Do: p.showNewQuota},
		{Method: http.MethodPost, Path: quotasAt + "/new", Rights: manageQuotas, Do: p.createQuota},
		{Path: one, Rights: viewQuotas, Do: p.showQuota},
		{Method: http.MethodPost, Path: one, Rights: manageQuotas, Do: p.editQuota},
		{Path: one + "/delete", Rights: manageQuotas, Do: p.askDeleteQuota},
		{Method: http.MethodPost, Path: one + "/delete", Rights: manageQuotas, Do: p.deleteQuota},
		{Path: quotasAt + "/organization", Rights: manageQuotas, Do: p.showAssign},
		{Method: http.MethodPost, Path: quotasAt + "/organization", Rights: manageQuotas, Do: p.assign},
	}
}

func holder(o tenants.Organization) tenants.QuotaHolder {
	return tenants.QuotaHolder{Kind: tenants.HolderOrganization, ID: string(o.ID), Name: o.Name}
}

type quotaRow struct {
	tenants.QuotaPolicy
	Bounds []string
}

type quotasPage struct {
	List           *ui.List
	Policies       []quotaRow
	Own            tenants.QuotaPolicy // that bounds the organization as a whole
	Manage, Assign bool
}

func (p *Pages) quotas(s *ui.Screen) error {
	ctx, org := s.Request.Context(), s.Org().Organization
	l, err := s.List(ui.ListOf{Fields: tenants.QuotaPolicyFields, Search: []string{"name", "description"}, Sort: "name"})
	if err != nil {
		return err
	}
	list, total, err := p.Tenants.QuotaPolicies(ctx, org.ID, l.Query)
	if err != nil {
		return err
	}
	l.Total = total
	page := quotasPage{List: l, Manage: s.Can(manageQuotas...)}
	page.Assign = page.Manage && s.By().Principal.Provider()
	for _, q := range list {
		page.Policies = append(page.Policies, quotaRow{q, boundsOf(s, q)})
	}
	if page.Own, err = p.Tenants.QuotaHeld(ctx, org.ID, holder(org)); err != nil {
		return err
	}
	return s.Show("orgs/quotas", "quotas.title", page)
}

// boundsOf says what a policy bounds.
func boundsOf(s *ui.Screen, q tenants.QuotaPolicy) (bounds []string) {
	for _, d := range q.Definitions {
		switch name := resource(d); name {
		case tenants.QuotaRequests, tenants.QuotaBytes:
			bounds = append(bounds, s.T("quotas."+name+".bound", grouped(d.Quota), s.T("quotas."+d.Unit)))
		case tenants.QuotaConcurrent:
			bounds = append(bounds, s.T("quotas."+name+".bound", grouped(d.Quota)))
		default:
			amount := s.T("quotas.unlimited")
			if d.Quota >= 0 {
				amount = s.T("quotas.amount", grouped(d.Quota), d.Unit)
			}
			bounds = append(bounds, s.T("quotas.other.bound", name, amount))
		}
	}
	return bounds
}

// quotaTarget is the policy of this organization that the path names.
func (p *Pages) quotaTarget(s *ui.Screen) (tenants.QuotaPolicy, error) {
	id, err := tenants.ParseID[tenants.QuotaPolicyID]("quotaPolicy", s.Param("id"))
	if err != nil {
		return tenants.QuotaPolicy{}, problem.Hidden()
	}
	q, err := p.Tenants.QuotaPolicy(s.Request.Context(), s.Org().ID, id)
	if problem.Has(err, problem.NotFound) {
		err = problem.Hidden()
	}
	return q, err
}

func quotaTrail(s *ui.Screen) []ui.Crumb {
	return []ui.Crumb{{Text: s.T("quotas.title"), Path: s.Path(quotasAt)}}
}

func (p *Pages) askDeleteQuota(s *ui.Screen) error {
	q, err := p.quotaTarget(s)
	if err != nil {
		return err
	}
	return drawDeleteQuota(s, q, nil)
}

func drawDeleteQuota(s *ui.Screen, q tenants.QuotaPolicy, fault *problem.Problem) error {
	title := s.T("quotas.delete.title", q.Name)
	return s.Ask(ui.Frame{Title: title, Trail: quotaTrail(s)}, ui.Confirm{
		Question: title, Ends: []string{s.T("quotas.delete.policy")}, Stays: []string{s.T("quotas.delete.held"), s.T("quotas.delete.sessions")},
		Form: ui.Form{Submit: s.T("quotas.delete"), Cancel: s.Path(quotasAt, "policy", string(q.ID)), Fault: fault},
	})
}

func (p *Pages) deleteQuota(s *ui.Screen) error {
	q, err := p.quotaTarget(s)
	if err != nil {
		return err
	}
	if err := p.Tenants.DeleteQuotaPolicy(s.Request.Context(), s.By(), s.Org().ID, q.ID); err != nil {
		fault, err := s.Fault(err)
		if err != nil {
			return err
		}
		return drawDeleteQuota(s, q, fault)
	}
	return s.Done(s.Path(quotasAt), "quotapolicydeleted")
}

// maxOffered bounds how many policies are offered to choose from.
const maxOffered = 500

// QuotaOptions are the quota policies of org to choose one from, with none first.
func QuotaOptions(ctx context.Context, service *tenants.Service, org tenants.OrgID, held tenants.QuotaPolicyID, none string) ([]ui.Option, error) {
	list, _, err := service.QuotaPolicies(ctx, org, tenants.Query{SortBy: "name", Page: 1, PageSize: maxOffered})
	options := []ui.Option{{Label: none, Chosen: held == ""}}
	for _, q := range list {
		options = append(options, ui.Option{Value: string(q.ID), Label: q.Name, Hint: q.Description, Chosen: q.ID == held})
	}
	return options, err
}

// assignForm is the form, and the policy that is held now.
func (p *Pages) assignForm(s *ui.Screen) (*ui.Form, tenants.QuotaPolicyID, error) {
	ctx, org := s.Request.Context(), s.Org().Organization
	held, err := p.Tenants.QuotaHeld(ctx, org.ID, holder(org))
	if err != nil {
		return nil, "", err
	}
	options, err := QuotaOptions(ctx, p.Tenants, org.ID, held.ID, s.T("quotas.none"))
	return &ui.Form{
		Fields: []ui.Field{{Name: "policy", Kind: ui.Radio, Label: s.T("quotas.assign.policy"), Options: options}, ui.Seen(held.ID)},
		Submit: s.T("quotas.assign.submit"), Cancel: s.Path(quotasAt),
	}, held.ID, err
}

func drawAssign(s *ui.Screen, form *ui.Form) error {
	return s.ShowFrame(form.Status(), "orgs/form", ui.Frame{
		D: formPage{About: s.T("quotas.assign.about"), Form: form}, Title: s.T("quotas.assign.title", s.Org().Name), Trail: quotaTrail(s),
	})
}

func (p *Pages) showAssign(s *ui.Screen) error {
	form, _, err := p.assignForm(s)
	if err != nil {
		return err
	}
	return drawAssign(s, form)
}

// assign gives the organization a policy for all of its people and accounts
// together, or none.
func (p *Pages) assign(s *ui.Screen) error {
	v, err := s.Form()
	if err != nil {
		return err
	}
	org, id := s.Org().Organization, tenants.QuotaPolicyID("")
	if text := v.Text("policy"); text != "" {
		if id, err = tenants.ParseID[tenants.QuotaPolicyID]("quotaPolicy", text); err != nil {
			return err
		}
	}
	form, held, err := p.assignForm(s)
	if err != nil {
		return err
	}
	if v.Meanwhile(held) {
		form.Blame(s.Meanwhile())
		return drawAssign(s, form)
	}
	if _, err := p.Tenants.AssignQuota(s.Request.Context(), s.By(), org.ID, holder(org), id); err != nil {
		return refused(s, err, form, v, func() error { return drawAssign(s, form) })
	}
	return s.Done(s.Path(quotasAt), "quotaassigned")
}
