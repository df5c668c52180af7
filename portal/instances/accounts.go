package instances

import (
	"context"
	"net/http"

	"causeway/portal/ui"
	"causeway/services"
	"causeway/tenants"
)

type accountsPage struct {
	Org      string
	Instance services.ServiceInstance
	List     *ui.List
	Rows     []accountRow
	Assign   bool
	Group    string
	GroupID  string
	Members  int  // of the group: all accounts, also those that a search leaves out
	Pending  bool // something is to be told, so the page looks again
}

type accountRow struct {
	services.InstanceAccount
	Kind, Text string // of the badge of its hook
}

// Failed reports whether the instance could not be told, and nobody tries again.
func (a accountRow) Failed() bool { return a.Hook.State == services.HookFailed }

func (p *Pages) accountList(s *ui.Screen) error {
	org, id, err := p.target(s)
	if err != nil {
		return err
	}
	ctx := s.Request.Context()
	in, err := p.Services.OrgInstance(ctx, s.By(), org.ID, id)
	if err != nil {
		return err
	}
	list, err := s.List(ui.ListOf{
		Fields: services.AccountFields, Search: []string{"name"},
		Filters: []ui.Filter{{Selector: "kind", Label: s.T("accounts.kind"), Options: []ui.Option{
			{Value: "app", Label: s.T("accounts.app")}, {Value: "manual", Label: s.T("accounts.manual")},
		}}},
	})
	if err != nil {
		return err
	}
	found, total, err := p.Services.Accounts(ctx, s.By(), org.ID, id, list.Query)
	if err != nil {
		return err
	}
	list.Total = total
	page := accountsPage{
		Org: org.Name, Instance: in, List: list, Assign: s.Can(assign...), Group: services.AccountsGroupName, GroupID: services.AccountsGroup,
	}
	if _, page.Members, err = p.Services.Accounts(ctx, s.By(), org.ID, id, tenants.Query{Page: 1, PageSize: 1}); err != nil {
		return err
	}
	for _, a := range found {
		page.Rows = append(page.Rows, newAccountRow(s, a))
		page.Pending = page.Pending || a.Hook.State == services.HookPending
	}
	return s.ShowFrame(http.StatusOK, "instances/accounts", ui.Frame{
		Title: s.T("accounts.title", in.Name), Trail: instanceTrail(s, instanceCrumb(s, in)), D: page,
	})
}

func newAccountRow(s *ui.Screen, a services.InstanceAccount) accountRow {
	row := accountRow{InstanceAccount: a, Kind: "plain", Text: s.T("accounts.none")}
	switch a.Hook.State {
	case services.HookPending:
		row.Kind, row.Text = "busy", s.T("accounts.pending")
	case services.HookProvisioned:
		row.Kind, row.Text = "good", s.T("accounts.delivered")
	case services.HookFailed:
		row.Kind, row.Text = "bad", s.T("accounts.failed")
	}
	return row
}

// inside is the instance of the path, and the way to its accounts.
func (p *Pages) inside(s *ui.Screen) (services.ServiceInstance, []ui.Crumb, error) {
	org, id, err := p.target(s)
	if err != nil {
		return services.ServiceInstance{}, nil, err
	}
	in, err := p.Services.OrgInstance(s.Request.Context(), s.By(), org.ID, id)
	return in, instanceTrail(s, instanceCrumb(s, in), ui.Crumb{Text: s.T("accounts.short"), Path: accountsPath(s, in.ID)}), err
}

func accountsPath(s *ui.Screen, id services.InstanceID) string {
	return s.Path(instances, string(id), "accounts")
}

func (p *Pages) accountNew(s *ui.Screen) error {
	in, trail, err := p.inside(s)
	if err != nil {
		return err
	}
	return drawAccount(s, in, trail, accountForm(s, in))
}

type accountFormPage struct {
	Instance services.ServiceInstance
	Form     ui.Form
}

func accountForm(s *ui.Screen, in services.ServiceInstance) ui.Form {
	return ui.Form{
		Submit: s.T("accounts.create"), Cancel: accountsPath(s, in.ID),
		Fields: []ui.Field{{Name: "id", Label: s.T("accounts.name"), Hint: s.T("accounts.namehint"), Required: true, Max: 104, Mono: true, Focus: true}},
	}
}

func drawAccount(s *ui.Screen, in services.ServiceInstance, trail []ui.Crumb, form ui.Form) error {
	return s.ShowFrame(form.Status(), "instances/account", ui.Frame{Title: s.T("accounts.new"), Trail: trail, D: accountFormPage{in, form}})
}

func (p *Pages) accountCreate(s *ui.Screen) error {
	in, trail, err := p.inside(s)
	if err != nil {
		return err
	}
	v, err := s.Form()
	if err != nil {
		return err
	}
	if _, err = p.Services.CreateAccount(s.Request.Context(), s.By(), in.Org, in.ID, v.Text("id")); err == nil {
		return s.Done(accountsPath(s, in.ID), "instaccountcreated")
	}
	form := accountForm(s, in)
	if err := s.Refused(&form, v, err); err != nil {
		return err
	}
	return drawAccount(s, in, trail, form)
}

func (p *Pages) accountAsk(s *ui.Screen) error {
	in, trail, err := p.inside(s)
	if err != nil {
		return err
	}
	a, err := p.Services.Account(s.Request.Context(), s.By(), in.Org, in.ID, s.Param("account"))
	if err != nil {
		return err
	}
	ends := []string{s.T("accounts.ends", a.Name, in.Name), s.T("accounts.endsname")}
	if in.HookURL != "" {
		ends = append(ends, s.T("accounts.endstold"))
	}
	return s.Ask(ui.Frame{Title: s.T("accounts.end"), Trail: trail}, ui.Confirm{
		Question: s.T("accounts.endask", a.Name), Ends: ends, Stays: []string{s.T("accounts.staysrules"), s.T("accounts.staysaudit")},
		Form: ui.Form{Submit: s.T("accounts.end"), Cancel: accountsPath(s, in.ID)},
	})
}

func (p *Pages) accountEnd(s *ui.Screen) error {
	return p.onAccount(s, "instaccountended", p.Services.EndAccount)
}

func (p *Pages) accountRetry(s *ui.Screen) error {
	return p.onAccount(s, "hookretried", p.Services.RetryHook)
}

func (p *Pages) onAccount(s *ui.Screen, did string, do func(ctx context.Context, by tenants.Caller, org tenants.OrgID, id services.InstanceID, account string) error) error {
	org, id, err := p.target(s)
	if err != nil {
		return err
	}
	if err := do(s.Request.Context(), s.By(), org.ID, id, s.Param("account")); err != nil {
		return err
	}
	return s.Done(accountsPath(s, id), did)
}
