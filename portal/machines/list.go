package machines

import (
	"causeway/oauth"
	"causeway/portal/ui"
)

type listPage struct {
	List   *ui.List
	Rows   []accountRow
	Full   bool // not the limited view
	Manage bool
	New    string
}

type accountRow struct {
	oauth.ServiceAccount
	RoleName string
	Badge    string
	Link     string
}

func (p *Pages) list(s *ui.Screen) error {
	page := listPage{Full: s.Can(oauth.FullAccountView...), Manage: s.Can(manage...), New: s.Path(accountsPath, "new")}
	of := ui.ListOf{Fields: oauth.LimitedAccountFields, Search: []string{"name"}, Sort: "name"}
	if page.Full {
		of.Fields, of.Search = oauth.AccountFields, []string{"name", "softwareId"}
		of.Filters = []ui.Filter{
			{Selector: "status", Label: s.T("machines.status"), Options: statuses()},
			{Selector: "softwareVersion", Label: s.T("machines.version")},
		}
	}
	var err error
	if page.List, err = s.List(of); err != nil {
		return err
	}
	accounts, total, err := p.OAuth.Accounts(s.Request.Context(), s.Org().ID, page.List.Query)
	if err != nil {
		return err
	}
	page.List.Total = total
	for _, a := range accounts {
		role, _ := s.Org().RoleName(a.Role)
		page.Rows = append(page.Rows, accountRow{a, role, badgeOf(a.Status), s.Path(accountsPath, string(a.ID))})
	}
	return s.Show("machines/list", "machines.title", page)
}

func statuses() (options []ui.Option) {
	for _, status := range []oauth.Status{oauth.Created, oauth.Requested, oauth.Granted, oauth.Active} {
		options = append(options, ui.Option{Value: string(status), Label: string(status)})
	}
	return options
}
