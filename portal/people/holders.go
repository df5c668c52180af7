package people

import (
	"strings"

	"causeway/portal/ui"
	"causeway/tenants"
)

// holders counts who holds a role in an organization. What whoever looks may not
// see is not counted: it is -1.
type holders struct{ Users, Accounts int }

var viewAccounts = []tenants.Right{tenants.RightAccountsView, tenants.RightAccountsLimitedView, tenants.RightAccountsManage}

func (p *Pages) holders(s *ui.Screen, org tenants.OrgID, role tenants.RoleID) (h holders, err error) {
	ctx, q := s.Request.Context(), one("role_id = ?", string(role))
	h = holders{-1, -1}
	if s.Can(viewUsers...) {
		if _, h.Users, err = p.Tenants.Users(ctx, org, q); err != nil {
			return h, err
		}
	}
	if s.Can(viewAccounts...) {
		_, h.Accounts, err = p.OAuth.Accounts(ctx, org, q)
	}
	return h, err
}

// words are the holders in words, or empty where they are not known.
func (h holders) words(s *ui.Screen) string {
	var list []string
	if h.Users >= 0 {
		list = append(list, s.Count("roles.users", h.Users))
	}
	if h.Accounts >= 0 {
		list = append(list, s.Count("roles.accounts", h.Accounts))
	}
	return strings.Join(list, s.T("roles.and"))
}

// some reports whether anybody is known to hold it.
func (h holders) some() bool { return h.Users > 0 || h.Accounts > 0 }
