package dev

import (
	"context"
	"time"

	"causeway/federation"
	"causeway/federation/links"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/site"
	"causeway/oauth"
	"causeway/tenants"
)

// seed makes the sample organizations, people, roles and accounts of a site, as
// far as they are missing, and notes their identifiers in the plan.
func seed(ctx context.Context, s *site.Site, plan *SiteFile, account Account) error {
	plan.ID = tenants.URN("site", s.Self().ID)
	root, err := ensureUser(ctx, s, tenants.SystemOrgID, plan.Admin, tenants.SystemAdministrator)
	if err != nil {
		return err
	}
	by := tenants.Caller{Principal: tenants.Principal{
		Kind: tenants.KindUser, ID: string(root.ID), Name: root.Name, Org: tenants.SystemOrgID, Role: root.Role,
	}}
	for _, o := range planOf(plan.Name) {
		file := plan.Org(o.name)
		org, err := ensureOrg(ctx, s, by, o)
		if err != nil {
			return err
		}
		file.ID = tenants.URN("org", org.ID)
		if _, err := ensureUser(ctx, s, org.ID, file.Admin, tenants.OrganizationAdministrator); err != nil {
			return err
		}
		if _, err := links.EnsureOrgKey(ctx, s.DB().Federation(), s.Keys(), org.ID, time.Now()); err != nil {
			return err
		}
		if !o.account {
			continue
		}
		snapshot, err := s.Directory().Organization(ctx, org.ID)
		if err != nil {
			return err
		}
		_, err = s.OAuth().Register(ctx, by, snapshot, oauth.Registration{
			ClientName: account.Name, SoftwareID: account.SoftwareID, SoftwareVersion: "1.0", Scope: oauth.RoleScope(o.role),
		})
		if err := unlessDuplicate(err); err != nil {
			return err
		}
	}
	return nil
}

func planOf(site string) []orgPlan {
	for _, p := range sitePlans {
		if p.name == site {
			return p.orgs
		}
	}
	return nil
}

func ensureOrg(ctx context.Context, s *site.Site, by tenants.Caller, o orgPlan) (tenants.Organization, error) {
	_, err := s.Provisioner().CreateOrganization(ctx, by, o.name, o.name)
	if err := unlessDuplicate(err); err != nil {
		return tenants.Organization{}, err
	}
	org, err := s.Directory().ByName(ctx, o.name)
	if err != nil {
		return tenants.Organization{}, err
	}
	_, err = s.Provisioner().CreateRole(ctx, by, org.ID, o.role, o.rights)
	if err := unlessDuplicate(err); err != nil {
		return tenants.Organization{}, err
	}
	s.Directory().Flush() // no tail runs yet that would do it
	return org.Organization, nil
}

func ensureUser(ctx context.Context, s *site.Site, org tenants.OrgID, l Login, role string) (u tenants.User, err error) {
	err = s.DB().Tenants().View(ctx, func(r tenants.Reader) error {
		u, err = r.UserByName(org, l.User, time.Now())
		return err
	})
	if problem.Has(err, problem.NotFound) {
		return s.Provisioner().CreateUser(ctx, tenants.Caller{}, org, l.User, role, secret.Text(l.Password))
	}
	return u, err
}

func unlessDuplicate(err error) error {
	if problem.Has(err, problem.DuplicateName) {
		return nil
	}
	return err
}

// associate writes one site's half of its associations.
func (f *File) associate(ctx context.Context, s *site.Site, own *SiteFile, peers map[string]exported, caPEM string) error {
	now := time.Now().UTC().Truncate(time.Microsecond)
	return s.DB().Federation().InTx(ctx, func(tx federation.Tx) error {
		for i := range f.Sites {
			peer := &f.Sites[i]
			if peer.Name == own.Name {
				continue
			}
			id, err := tenants.ParseID[tenants.SiteID]("site", peer.ID)
			if err != nil {
				return err
			}
			a := federation.SiteAssociation{
				Site: id, Name: peer.Name, RestEndpoint: peer.API + "/api", BaseUIEndpoint: peer.API,
				RestEndpointCertificate: caPEM, PublicKey: peers[peer.Name].root, Status: federation.StatusActive, CreatedAt: now,
			}
			if err := tx.PutSiteAssociation(a); err != nil {
				return err
			}
			if err := tx.Record(associationEntry(now, tenants.SystemOrgID, journal.SiteAssociated, journal.KindSite, string(id), peer.Name)); err != nil {
				return err
			}
		}
		return f.associateOrgs(tx, own, peers, now)
	})
}

func (f *File) associateOrgs(tx federation.Tx, own *SiteFile, peers map[string]exported, now time.Time) error {
	for _, pair := range associated {
		for i := range pair {
			here, there := pair[i], pair[1-i]
			if here.site != own.Name {
				continue
			}
			peer := f.Site(there.site)
			local, err := tenants.ParseID[tenants.OrgID]("org", own.Org(here.org).ID)
			if err != nil {
				return err
			}
			remote, err := tenants.ParseID[tenants.OrgID]("org", peer.Org(there.org).ID)
			if err != nil {
				return err
			}
			site, err := tenants.ParseID[tenants.SiteID]("site", peer.ID)
			if err != nil {
				return err
			}
			a := federation.OrgAssociation{
				Local: local, Remote: remote, RemoteName: there.org, Site: site,
				PublicKey: peers[there.site].orgs[there.org], RemoteEnabled: true, Status: federation.StatusActive, CreatedAt: now,
			}
			if err := tx.PutOrgAssociation(a); err != nil {
				return err
			}
			if err := tx.Record(associationEntry(now, local, journal.OrgAssociated, journal.KindOrgAssociation, string(remote), there.org)); err != nil {
				return err
			}
		}
	}
	return nil
}

func associationEntry(at time.Time, org tenants.OrgID, action journal.Action, kind, id, name string) journal.Entry {
	return journal.Entry{
		At: at, Org: string(org), Actor: journal.System, Action: action,
		Subject: journal.Subject{Kind: kind, ID: id, Name: name},
	}
}

// moveEndpoints corrects where the associations say the other sites are: the
// folder may have been given other ports.
func (f *File) moveEndpoints(ctx context.Context, s *site.Site) error {
	now := time.Now().UTC().Truncate(time.Microsecond)
	return s.DB().Federation().InTx(ctx, func(tx federation.Tx) error {
		held, err := tx.SiteAssociations()
		if err != nil {
			return err
		}
		for _, a := range held {
			peer := f.Site(a.Name)
			if peer == nil || a.BaseUIEndpoint == peer.API {
				continue
			}
			a.RestEndpoint, a.BaseUIEndpoint = peer.API+"/api", peer.API
			if err := tx.PutSiteAssociation(a); err != nil {
				return err
			}
			if err := tx.Record(associationEntry(now, tenants.SystemOrgID, journal.SiteAssociated, journal.KindSite, string(a.Site), a.Name)); err != nil {
				return err
			}
		}
		return nil
	})
}

// exported are a site's public keys: what people would hand over in association
// data.
type exported struct {
	root string
	orgs map[string]string
}

func export(ctx context.Context, s *site.Site, plan *SiteFile) (exported, error) {
	root, err := links.EncodePublicKey(s.Root())
	if err != nil {
		return exported{}, err
	}
	e := exported{root: root, orgs: map[string]string{}}
	for _, o := range plan.Organizations {
		id, err := tenants.ParseID[tenants.OrgID]("org", o.ID)
		if err != nil {
			return exported{}, err
		}
		key, err := links.EnsureOrgKey(ctx, s.DB().Federation(), s.Keys(), id, time.Now())
		if err != nil {
			return exported{}, err
		}
		if e.orgs[o.Name], err = links.EncodePublicKey(&key.PublicKey); err != nil {
			return exported{}, err
		}
	}
	return e, nil
}
