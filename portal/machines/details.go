package machines

import (
	"net/url"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/oauth"
	"causeway/portal/ui"
	"causeway/tenants"
)

type detailsPage struct {
	oauth.ServiceAccount
	Badge    string
	Role     can
	Full     bool // not the limited view
	Manage   bool
	Link     string // the client URI, if it is safe to follow
	Device   string // URL
	Token    string // URL
	Scope    string
	SeeQuota bool
	Quota    string
	Open     []oauth.DeviceRequest
	Use      use
	Audited  bool
	History  []event
	Links    accountLinks
}

type accountLinks struct{ Edit, Revoke, Delete, TakeOver, Review string }

// use is how an account is being used.
type use struct {
	Sessions int
	Last     time.Time
}

// event is a line of an account's history.
type event struct {
	At      time.Time
	Action  string
	Who     string
	Changes []change
}

type change struct{ What, Old, New string }

// account is the one that the path names.
func (p *Pages) account(s *ui.Screen) (oauth.ServiceAccount, error) {
	id, err := tenants.ParseUUID(s.Param("id"))
	if err != nil {
		return oauth.ServiceAccount{}, problem.Hidden()
	}
	return p.OAuth.Account(s.Request.Context(), s.Org().ID, oauth.ClientID(id))
}

func (p *Pages) show(s *ui.Screen) error {
	a, err := p.account(s)
	if err != nil {
		return err
	}
	page := detailsPage{ServiceAccount: a, Full: s.Can(oauth.FullAccountView...), Manage: s.Can(manage...), Badge: badgeOf(a.Status)}
	name, _ := s.Org().RoleName(a.Role)
	page.Role = newCan(a.Role, name, "", s.Org().MachineRights(a.Role))
	if page.Full {
		realm := p.OAuth.Issuer(s.Org().Organization)
		page.Link, page.Device, page.Token, page.Scope = safeLink(a.URI), realm+"/device_authorization", realm+"/token", oauth.RoleScope(name)
		if err := p.more(s, &page); err != nil {
			return err
		}
	}
	at := func(what string) string { return s.Path(accountsPath, string(a.ID), what) }
	page.Links = accountLinks{Edit: at("edit"), Revoke: at("revoke"), Delete: at("delete"), TakeOver: at("take-ownership"), Review: s.Path(reviewPath)}
	return s.ShowFrame(200, "machines/details", ui.Frame{D: page, Title: a.Name, Trail: trail(s)})
}

// more reads what stands around an account, as far as who looks may see it.
func (p *Pages) more(s *ui.Screen, page *detailsPage) error {
	ctx, org, id := s.Request.Context(), s.Org().ID, page.ID
	if page.SeeQuota = s.Can(seeQuota...); page.SeeQuota {
		held, err := p.Tenants.QuotaHeld(ctx, org, holder(page.ServiceAccount))
		if err != nil {
			return err
		}
		page.Quota = held.Name
	}
	if page.Manage {
		var err error
		if page.Open, err = p.OAuth.OpenRequests(ctx, org, id); err != nil {
			return err
		}
		if page.Use, err = p.use(s, id); err != nil {
			return err
		}
	}
	if page.Audited = s.Can(readAudit...); !page.Audited {
		return nil
	}
	rows, _, err := p.Tenants.Audit(ctx, org, tenants.Query{
		Where: "subject_kind = ? AND subject_id = ?", Args: []any{journal.KindAccount, string(id)}, Page: 1, PageSize: historyRows,
	})
	for _, row := range rows {
		page.History = append(page.History, eventOf(s, row))
	}
	return err
}

// historyRows is how much of its history an account's page shows: the audit trail has
// all of it.
const historyRows = 20

func (p *Pages) use(s *ui.Screen, id oauth.ClientID) (u use, err error) {
	list, total, err := p.OAuth.SessionsOf(s.Request.Context(), s.Org().ID, id, 100)
	u.Sessions = total
	for _, session := range list {
		if session.LastUsed.After(u.Last) {
			u.Last = session.LastUsed
		}
	}
	return u, err
}

// eventOf shows a row of the journal: what an edit changed stands in it with the old
// and the new value (VCD-51).
func eventOf(s *ui.Screen, row journal.Row) event {
	e := event{At: row.At, Action: s.T("audit.did." + string(row.Action)), Who: row.Actor.Name}
	if e.Who == "" {
		e.Who = row.Actor.Kind
	}
	for _, name := range []string{"role", "softwareId", "softwareVersion", "uri"} {
		before, after := row.Detail[name+".old"], row.Detail[name+".new"]
		if before == after {
			continue
		}
		if name == "role" {
			before, after = roleName(s, before), roleName(s, after)
		}
		e.Changes = append(e.Changes, change{s.T("machines.field." + name), before, after})
	}
	return e
}

// roleName is the name of a role that can still be held, else its identifier.
func roleName(s *ui.Screen, id string) string {
	if name, ok := s.Org().RoleName(tenants.RoleID(id)); ok {
		return name
	}
	return id
}

// safeLink is a stored address if it leads to a page of the web, and to nothing else
// (VCD-54).
func safeLink(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return ""
	}
	return uri
}
