package store_test

import (
	"errors"
	"fmt"
	"time"

	"causeway/federation"
	"causeway/internal/refusal"
	"causeway/oauth"
	"causeway/ratelimit"
	"causeway/tenants"
)

// planCalls are what tenantCalls leave out, in an order in which they work. A name
// begins with the method's.
var planCalls = []call{
	{"Organization", inReader(func(n tenants.Tx, w *tenant) error { return second(n.Organization(w.org)) })},
	{"OrganizationByName", inReader(func(n tenants.Tx, w *tenant) error { return second(n.OrganizationByName("own")) })},
	{"Organizations", inReader(func(n tenants.Tx, _ *tenant) error { return second(n.Organizations()) })},
	{"OrganizationPage", everyPage("name", func(n tenants.Tx, _ oauth.Tx, _ *tenant, q tenants.Query) error {
		_, _, err := n.OrganizationPage(q)
		return err
	})},
	{"WasRecorded", inReader(func(n tenants.Tx, w *tenant) error { return second(n.WasRecorded(w.org, "role.updated")) })},
	{"OrganizationNames", inReader(func(n tenants.Tx, w *tenant) error {
		return second(n.OrganizationNames([]tenants.OrgID{w.org, "none"}))
	})},
	{"CountOrganizations", inReader(func(n tenants.Tx, _ *tenant) error { return second(n.CountOrganizations()) })},
	{"Users", everyPage("full_name", func(n tenants.Tx, _ oauth.Tx, w *tenant, q tenants.Query) error {
		_, _, err := n.Users(w.org, q, now)
		return err
	})},
	{"Users by lock", everyPage("locked", func(n tenants.Tx, _ oauth.Tx, w *tenant, q tenants.Query) error {
		q.Where, q.Args = "locked = ?", []any{true}
		_, _, err := n.Users(w.org, q, now)
		return err
	})},
	{"UserOrg", inReader(func(n tenants.Tx, w *tenant) error { return second(n.UserOrg(w.user)) })},
	{"RoleByName", inReader(func(n tenants.Tx, w *tenant) error { return second(n.RoleByName(w.org, "Deployer")) })},
	{"Roles", inReader(func(n tenants.Tx, w *tenant) error { return second(n.Roles(w.org)) })},
	{"RolePage", everyPage("description", func(n tenants.Tx, _ oauth.Tx, w *tenant, q tenants.Query) error {
		_, _, err := n.RolePage(w.org, q)
		return err
	})},
	{"EveryOrganizationLimits", inReader(func(n tenants.Tx, _ *tenant) error { return second(n.EveryOrganizationLimits()) })},
	{"OrganizationLimits SetOrganizationLimits", inReader(func(n tenants.Tx, w *tenant) error {
		own := ratelimit.Limits{ratelimit.Management: {ratelimit.PerOrg: {Tokens: 1, Per: time.Second, Burst: 2}}}
		return errors.Join(n.SetOrganizationLimits(w.org, own), second(n.OrganizationLimits(w.org)))
	})},
	{"PublishedRights", inReader(func(n tenants.Tx, w *tenant) error { return second(n.PublishedRights(w.org)) })},
	{"QuotaPolicies", everyPage("description", func(n tenants.Tx, _ oauth.Tx, w *tenant, q tenants.Query) error {
		_, _, err := n.QuotaPolicies(w.org, q)
		return err
	})},
	{"QuotaPolicyOrg", inReader(func(n tenants.Tx, w *tenant) error { return second(n.QuotaPolicyOrg(w.quota)) })},
	{"TaskOrg", inReader(func(n tenants.Tx, w *tenant) error { return second(n.TaskOrg(w.task)) })},
	{"Tasks", everyPage("operation", func(n tenants.Tx, _ oauth.Tx, w *tenant, q tenants.Query) error {
		_, _, err := n.Tasks(w.org, q)
		return err
	})},
	{"Audit", everyPage("subject_kind", func(n tenants.Tx, _ oauth.Tx, w *tenant, q tenants.Query) error {
		if q.Where != "" {
			q.Where, q.Args = "action = ? AND at > ?", []any{"role.created", 1}
		}
		_, _, err := n.Audit(w.org, q)
		return err
	})},

	{"Refusals", everyPage("status", func(n tenants.Tx, _ oauth.Tx, w *tenant, q tenants.Query) error {
		if q.Where != "" {
			q.Where, q.Args = "request_id = ?", []any{"x"}
		}
		if q.SortBy == "" {
			q.Where, q.Args = "code = ? AND at >= ?", []any{"x", 1}
		}
		_, _, err := n.(refusal.Reader).Refusals(w.org, q)
		return err
	})},
	{"RefusalCounts", inReader(func(n tenants.Tx, w *tenant) error {
		_, err := n.(refusal.Reader).RefusalCounts(w.org, time.UnixMicro(1), time.Hour)
		return err
	})},
	{"NewestRefusals", inReader(func(n tenants.Tx, _ *tenant) error {
		_, _, err := n.(refusal.Reader).NewestRefusals(tenants.Query{Page: 1, PageSize: 25, Where: "at >= ?", Args: []any{int64(1)}})
		return err
	})},
	{"Refusal RefusalOrg", inReader(func(n tenants.Tx, w *tenant) error {
		r := n.(refusal.Reader)
		return errors.Join(ignoreNotFound(second(r.Refusal(w.org, "x"))), ignoreNotFound(second(r.RefusalOrg("x"))))
	})},

	{"ServiceAccounts", everyPage("role_id", func(_ tenants.Tx, o oauth.Tx, w *tenant, q tenants.Query) error {
		_, _, err := o.ServiceAccounts(w.org, q, now)
		return err
	})},
	{"ServiceAccounts by status", everyPage("status", func(_ tenants.Tx, o oauth.Tx, w *tenant, q tenants.Query) error {
		q.Where, q.Args = "status = ?", []any{"ACTIVE"}
		_, _, err := o.ServiceAccounts(w.org, q, now)
		return err
	})},
	{"ServiceAccountByName", inTokens(func(o oauth.Tx, w *tenant) error { return second(o.ServiceAccountByName(w.org, "app", now)) })},
	{"AccountOrg", inTokens(func(o oauth.Tx, w *tenant) error { return second(o.AccountOrg(w.account)) })},
	{"DeviceByCode", inTokens(func(o oauth.Tx, w *tenant) error { return second(o.DeviceByCode(w.org, w.device.DeviceCode)) })},
	{"RefreshToken", inTokens(func(o oauth.Tx, w *tenant) error { return second(o.RefreshToken(w.used)) })},
	{"APITokenByDigest", inTokens(func(o oauth.Tx, _ *tenant) error {
		return ignoreNotFound(second(o.APITokenByDigest(digest("nobody's"))))
	})},
	{"APITokens", everyPage("created_at", func(_ tenants.Tx, o oauth.Tx, w *tenant, q tenants.Query) error {
		_, _, all := o.APITokens(w.org, oauth.Whose{All: true}, q)
		q.Where, q.Args = "name = ? AND owner_name = ? AND type = ?", []any{"ci", "jane", "REFRESH"}
		_, _, one := o.APITokens(w.org, oauth.Whose{Owner: w.user}, q)
		return errors.Join(all, one)
	})},
	{"HoldOrganization", inTokens(func(o oauth.Tx, w *tenant) error { return o.HoldOrganization(w.org) })},
	{"Session", inTokens(func(o oauth.Tx, w *tenant) error { return second(o.Session(w.session.ID)) })},
	{"SessionByLegacy", inTokens(func(o oauth.Tx, _ *tenant) error {
		_, err := o.SessionByLegacy(digest("nobody's"))
		return ignoreNotFound(err)
	})},
	{"Sessions", everyPage("name", func(_ tenants.Tx, o oauth.Tx, w *tenant, q tenants.Query) error {
		_, _, all := o.Sessions(w.org, oauth.Live{Now: now, UsedAfter: now.Add(-time.Hour)}, q)
		_, _, one := o.Sessions(w.org, oauth.Live{Now: now, UsedAfter: now.Add(-time.Hour), Kind: tenants.KindUser, Principal: string(w.user)}, q)
		return errors.Join(all, one)
	})},
	{"SigningKeys", inTokens(func(o oauth.Tx, _ *tenant) error { return second(o.SigningKeys()) })},
	{"CloseDevices", inTokens(func(o oauth.Tx, w *tenant) error { return o.CloseDevices(w.org, w.account, w.device.ID) })},
	{"EndSessionsOf", inTokens(func(o oauth.Tx, w *tenant) error {
		return o.EndSessionsOf(w.org, tenants.KindUser, string(w.user), now)
	})},
	{"CreateSigningKey", inTokens(func(o oauth.Tx, _ *tenant) error {
		return o.CreateSigningKey(oauth.SigningKey{ID: newID[string](), Public: []byte("key"), Private: []byte("sealed")})
	})},
	{"LockSigningKeys", inTokens(func(o oauth.Tx, _ *tenant) error { return o.LockSigningKeys() })},
	{"EraseSigningKey", inTokens(func(o oauth.Tx, _ *tenant) error { return o.EraseSigningKey("k") })},
	{"RetireSigningKey", inTokens(func(o oauth.Tx, _ *tenant) error { return second(o.RetireSigningKey("k", now)) })},
	{"Note", inTokens(func(o oauth.Tx, _ *tenant) error { return o.Note(oauth.Event{At: now, Kind: "denied"}) })},
	{"Record", inTokens(func(o oauth.Tx, w *tenant) error { return o.Record(w.entry("role.updated")) })},

	{"Self", inSites(func(f federation.Tx, _ *tenant) error { return ignoreNotFound(second(f.Self())) })},
	{"SiteAssociation", inSites(func(f federation.Tx, w *tenant) error {
		return ignoreNotFound(second(f.SiteAssociation(w.remote.Site)))
	})},
	{"SiteAssociations", inSites(func(f federation.Tx, _ *tenant) error { return second(f.SiteAssociations()) })},
	{"OrgAssociationPage", inOffice(func(f federation.OfficeTx, w *tenant) error {
		return eachAssociationPage(func(q tenants.Query) error {
			_, _, err := f.OrgAssociationPage(w.org, q)
			return err
		})
	})},
	{"EveryOrgAssociation", inOffice(func(f federation.OfficeTx, _ *tenant) error {
		return eachAssociationPage(func(q tenants.Query) error {
			_, _, err := f.EveryOrgAssociation(q)
			return err
		})
	})},
	{"CountAssociatedWith", inOffice(func(f federation.OfficeTx, w *tenant) error { return second(f.CountAssociatedWith(w.remote.Site)) })},
	{"LockSiteAssociation LockOrgAssociation", inOffice(func(f federation.OfficeTx, w *tenant) error {
		return errors.Join(ignoreNotFound(f.LockSiteAssociation(w.remote.Site)), f.LockOrgAssociation(w.org, w.remote))
	})},
	{"OrgAssociations", inSites(func(f federation.Tx, w *tenant) error { return second(f.OrgAssociations(w.org)) })},
	{"OrgKey", inSites(func(f federation.Tx, w *tenant) error { return second(f.OrgKey(w.org)) })},
	{"PutSiteAssociation", inSites(func(f federation.Tx, w *tenant) error {
		return f.PutSiteAssociation(federation.SiteAssociation{Site: w.remote.Site, Name: "there", Status: federation.Asymmetric})
	})},
	{"PutOrgAssociation", inSites(func(f federation.Tx, w *tenant) error {
		return f.PutOrgAssociation(federation.OrgAssociation{Local: w.org, Remote: w.remote.Org, RemoteName: "there", Site: w.remote.Site, Status: federation.Asymmetric})
	})},
	{"AssociatedWith", inSites(func(f federation.Tx, w *tenant) error {
		return second(f.AssociatedWith(w.remote.Site, federation.Pair{Local: w.org, Remote: w.remote.Org}, 100))
	})},
	{"Shared SharedBy SharedPairs", inSites(func(f federation.Tx, w *tenant) error {
		return errors.Join(
			second(f.SharedPairs(w.remote.Site, []federation.Pair{{Local: w.org, Remote: w.remote.Org}, {Local: "none", Remote: "none"}})),
			second(f.Shared(w.remote.Site, federation.Pair{Local: w.org, Remote: w.remote.Org}, 100)),
			second(f.SharedBy(w.remote.Site, []tenants.OrgID{w.org, "none"}, 100)))
	})},
	{"DirectSites", inSites(func(f federation.Tx, _ *tenant) error { return second(f.DirectSites()) })},
	{"DirectPairs", inSites(func(f federation.Tx, w *tenant) error { return second(f.DirectPairs(w.remote.Site)) })},
	{"SetOrgStatus SetRemote DeleteOrgAssociation", inSites(func(f federation.Tx, w *tenant) error {
		return errors.Join(
			second(f.SetOrgStatus(w.org, w.remote, federation.Asymmetric, federation.StatusChange{Status: federation.StatusActive, At: now})),
			second(f.SetRemote(w.org, w.remote, "renamed", true)), f.DeleteOrgAssociation(w.org, w.remote))
	})},
	{"SetSiteStatus SetContact SetBundle DeleteSiteAssociation", inSites(func(f federation.Tx, w *tenant) error {
		return errors.Join(
			f.PutSiteAssociation(federation.SiteAssociation{Site: w.remote.Site, Name: "there", Status: federation.Asymmetric}),
			second(f.SetSiteStatus(w.remote.Site, federation.Asymmetric, federation.StatusChange{Status: federation.StatusActive, At: now})),
			f.SetContact(w.remote.Site, now, 7), second(f.SetBundle(w.remote.Site, "", federation.Pinned{PublicKey: "PEM", Seq: 1})),
			f.DeleteSiteAssociation(w.remote.Site))
	})},
	{"Roots RenewBundle CreateRoot AdvanceRoot RetireRoot", inSites(func(f federation.Tx, _ *tenant) error {
		r := federation.Root{ID: newID[string](), Sealed: []byte("sealed"), CreatedAt: now, SignsFrom: now}
		return errors.Join(second(f.Roots()), ignoreNotFound(f.RenewBundle(now)), f.CreateRoot(r), f.AdvanceRoot(r.ID, now), f.RetireRoot(r.ID, now))
	})},
	{"RenameSelf", inSites(func(f federation.Tx, _ *tenant) error { return ignoreNotFound(f.RenameSelf("here")) })},
	{"CreateSelf", inSites(func(f federation.Tx, w *tenant) error {
		return f.CreateSelf(federation.Self{ID: w.remote.Site, Name: "here", Root: []byte("sealed")})
	})},

	{"CreateRole LockRole DeleteRole", inReader(func(n tenants.Tx, w *tenant) error {
		r := tenants.Role{ID: newID[tenants.RoleID](), Org: w.org, Name: "Passing"}
		return errors.Join(n.CreateRole(r), n.LockRole(w.org, r.ID), n.DeleteRole(w.org, r.ID))
	})},
	{"LockedSources", inReader(func(n tenants.Tx, w *tenant) error { return second(n.LockedSources(w.org, w.user, now)) })},
	{"ClearLoginFailures", inReader(func(n tenants.Tx, w *tenant) error {
		return errors.Join(n.ClearLoginFailures(w.org, w.user, source), n.ClearLoginFailures(w.org, w.user, ""))
	})},
	{"EndUserSessions", inReader(func(n tenants.Tx, w *tenant) error { return n.EndUserSessions(w.org, w.user, w.session.ID, now) })},
	{"CreateQuotaPolicy CreateTask", inReader(func(n tenants.Tx, w *tenant) error {
		return errors.Join(
			n.CreateQuotaPolicy(tenants.QuotaPolicy{ID: newID[tenants.QuotaPolicyID](), Org: w.org, Name: "other"}),
			n.CreateTask(tenants.Task{ID: newID[tenants.TaskID](), Org: w.org, Name: "task", Status: tenants.TaskSuccess}))
	})},
	{"Publication CreatePublication LockPublication UpdatePublication SetPublicationRights Publish Unpublish " +
		"PublishToEach UnpublishFromAll DeletePublication", inReader(publications)},
	{"Publications", everyPage("description", func(n tenants.Tx, _ oauth.Tx, _ *tenant, q tenants.Query) error {
		_, _, err := n.Publications(tenants.GlobalRole, q)
		return err
	})},
	{"PublicationTenants", everyPage("name", func(n tenants.Tx, _ oauth.Tx, _ *tenant, q tenants.Query) error {
		_, _, err := n.PublicationTenants(tenants.GlobalRole, "none", q)
		return err
	})},
	{"EndSessions CreateOrganization LockOrganization UpdateOrganization DeleteOrganization CreateOrgKey", func(f federation.Tx, _ oauth.Tx, n tenants.Tx, _ tenants.OrgID, w *tenant) error {
		o := tenants.Organization{ID: newID[tenants.OrgID](), Name: "passing"}
		return errors.Join(n.EndSessions(w.org, now), n.CreateOrganization(o), f.CreateOrgKey(o.ID, []byte("sealed")), n.LockOrganization(o.ID),
			n.UpdateOrganization(o),
			n.DeleteOrganization(o.ID, now))
	}},
}

// publications makes one, publishes it and takes it away again.
func publications(n tenants.Tx, w *tenant) error {
	const kind = tenants.GlobalRole
	p := tenants.Publication{Kind: kind, ID: newID[tenants.PublicationID](), Name: "Passing"}
	return errors.Join(
		n.CreatePublication(p), n.LockPublication(kind, p.ID), n.UpdatePublication(p),
		n.SetPublicationRights(kind, p.ID, []tenants.Right{"Task: View"}), second(n.Publication(kind, p.ID)),
		n.Publish(p.ID, []tenants.OrgID{w.org}), n.Unpublish(p.ID, []tenants.OrgID{w.org}),
		n.PublishToEach(p.ID), n.UnpublishFromAll(p.ID), n.DeletePublication(kind, p.ID),
	)
}

type do = func(f federation.Tx, o oauth.Tx, n tenants.Tx, org tenants.OrgID, owner *tenant) error

func inReader(f func(tenants.Tx, *tenant) error) do {
	return func(_ federation.Tx, _ oauth.Tx, n tenants.Tx, _ tenants.OrgID, w *tenant) error { return f(n, w) }
}

func inTokens(f func(oauth.Tx, *tenant) error) do {
	return func(_ federation.Tx, o oauth.Tx, _ tenants.Tx, _ tenants.OrgID, w *tenant) error { return f(o, w) }
}

func inSites(f func(federation.Tx, *tenant) error) do {
	return func(tx federation.Tx, _ oauth.Tx, _ tenants.Tx, _ tenants.OrgID, w *tenant) error { return f(tx, w) }
}

func inOffice(f func(federation.OfficeTx, *tenant) error) do {
	return inSites(func(tx federation.Tx, w *tenant) error { return f(tx.(federation.OfficeTx), w) })
}

// eachAssociationPage asks for a list as it is usually read, for one organization
// at one site, and sorted by something that no index knows.
func eachAssociationPage(list func(tenants.Query) error) error {
	for _, q := range []tenants.Query{
		{Page: 1, PageSize: 10},
		{Page: 1, PageSize: 10, Where: "remote_org_id = ? AND site_id = ?", Args: []any{"x", "y"}},
		{Page: 2, PageSize: 10, SortBy: "site_name", Desc: true},
	} {
		if err := list(q); err != nil {
			return fmt.Errorf("%+v: %w", q, err)
		}
	}
	return nil
}

// everyPage asks for a list as it is usually read, by its name or identifier,
// and sorted by something that no index knows.
func everyPage(sort string, list func(tenants.Tx, oauth.Tx, *tenant, tenants.Query) error) do {
	return func(_ federation.Tx, o oauth.Tx, n tenants.Tx, _ tenants.OrgID, w *tenant) error {
		for _, q := range []tenants.Query{
			{Page: 1, PageSize: 10},
			{Page: 1, PageSize: 10, Where: "id = ?", Args: []any{"x"}},
			{Page: 2, PageSize: 10, SortBy: sort, Desc: true},
		} {
			if err := list(n, o, w, q); err != nil {
				return fmt.Errorf("%+v: %w", q, err)
			}
		}
		return nil
	}
}
