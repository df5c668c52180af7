package associations

import (
	"context"
	"slices"

	"causeway/federation"
	"causeway/federation/links"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/tenants"
)

// changeOrgs is change for one organization, by itself or by the provider, one
// after the other. with are the others that it may concern: those inside the site
// are held as well, for the status of one half follows the other.
func (s *Service) changeOrgs(ctx context.Context, by tenants.Caller, local tenants.OrgID, with []tenants.LocationID, f func(desk) ([]tenants.SiteID, error)) error {
	if !by.Principal.Provider() && by.Principal.Org != local {
		return problem.Hidden()
	}
	held := []tenants.OrgID{local}
	for _, l := range with {
		if l.Site == s.c.Site {
			held = append(held, l.Org)
		}
	}
	return s.change(ctx, by, func(d desk) ([]tenants.SiteID, error) {
		if err := d.lock(slices.Clone(held)...); err != nil {
			return nil, err
		}
		if _, err := d.Organization(local); err != nil {
			return nil, hidden(err)
		}
		return f(d)
	})
}

// heldOrg is an association that nobody changes meanwhile.
func (d desk) heldOrg(local tenants.OrgID, remote tenants.LocationID) (federation.OrgAssociation, error) {
	if err := d.LockOrgAssociation(local, remote); err != nil {
		return federation.OrgAssociation{}, hidden(err)
	}
	return d.OrgAssociation(local, remote)
}

// mayAssociate refuses tenants where the provider keeps associations to itself.
// What there is they may always end.
func (d desk) mayAssociate() error { return d.s.mayAssociate(d.by) }

// MayAssociate reports whether somebody may associate organizations at this site, as
// far as that is not a matter of rights.
func (s *Service) MayAssociate(by tenants.Caller) bool { return s.mayAssociate(by) == nil }

func (s *Service) mayAssociate(by tenants.Caller) error {
	if s.c.TenantsMay || by.Principal.Provider() {
		return nil
	}
	return problem.New(problem.Forbidden, "At this site the provider associates organizations.")
}

// putOrg creates or updates, and gives data the name that the other has here.
func (d desk) putOrg(local tenants.OrgID, data *OrgData) error {
	if err := d.otherSide(data); err != nil {
		return err
	}
	old, err := d.heldOrg(local, data.Location())
	if problem.Has(err, problem.NotFound) {
		return d.createOrg(local, *data)
	}
	if err != nil {
		return err
	}
	if err := acceptableOrg(*data, &old); err != nil {
		return err
	}
	if old.RemoteName == data.Name {
		return nil
	}
	if _, err := d.SetRemote(local, data.Location(), data.Name, old.RemoteEnabled); err != nil {
		return err
	}
	detail := tenants.Changed(map[string][2]string{"name": {old.RemoteName, data.Name}})
	old.RemoteName = data.Name
	return d.recordOrg(d.by.Actor(), old, journal.OrgLinkUpdated, detail)
}

// mayPair says which organizations can be associated at all: the provider's with
// another site's provider's, a tenant's with a tenant's.
func (s *Service) mayPair(local tenants.OrgID, data OrgData) error {
	switch {
	case data.Site == s.c.Site && data.Org == local:
		return problem.New(problem.BadRequest, "An organization is not associated with itself.")
	case (local == tenants.SystemOrgID) != (data.Org == tenants.SystemOrgID):
		return problem.New(problem.BadRequest, "The provider's organization is associated with that of another site only.")
	}
	return nil
}

// otherSide holds what stands on the other side, as far as that is known here.
func (d desk) otherSide(data *OrgData) error {
	if data.Site == d.s.c.Site {
		return d.s.insideSite(d, data)
	}
	return noSite(d.LockSiteAssociation(data.Site), data.Site)
}

// noSite says what to do where the other organization's site is not associated.
func noSite(err error, site tenants.SiteID) error {
	if problem.Has(err, problem.NotFound) {
		return problem.New(problem.Conflict, "This site is not associated with the organization's site %s: the provider must do that first.", site)
	}
	return err
}

// insideSite checks data about an organization of this site against what it is.
// That the key fits shows that somebody of that organization gave the data away;
// without it, the answer is that about no organization (R6).
func (s *Service) insideSite(r federation.OfficeReader, data *OrgData) error {
	sealed, err := r.OrgKey(data.Org)
	if problem.Has(err, problem.NotFound) {
		return noSuchOrg()
	}
	if err != nil {
		return err
	}
	own, err := links.OrgPublicKey(s.c.Keys, sealed)
	if err != nil {
		return err
	}
	if data.PublicKey != own {
		return noSuchOrg()
	}
	org, err := r.Organization(data.Org)
	if problem.Has(err, problem.NotFound) {
		return noSuchOrg()
	}
	data.Name = org.Name
	return err
}

func noSuchOrg() error {
	return problem.New(problem.BadRequest, "This site has no organization of this identifier and key.")
}

// roomForOne refuses what is one association too many. An administrator can make up
// any number of organizations of other sites, and each costs every site that reads
// of it; the provider's is associated with one of each site only. The organization
// is held, so that nobody else counts meanwhile.
func (d desk) roomForOne(local tenants.OrgID) error {
	if local == tenants.SystemOrgID {
		return nil
	}
	_, n, err := d.OrgAssociationPage(local, tenants.Query{Page: 1, PageSize: 1})
	if err == nil && n >= d.s.c.PerOrg {
		return problem.New(problem.Conflict, "An organization has at most %d associations; end one that is not needed.", d.s.c.PerOrg)
	}
	return err
}

func (d desk) createOrg(local tenants.OrgID, data OrgData) error {
	if err := acceptableOrg(data, nil); err != nil {
		return err
	}
	if err := d.roomForOne(local); err != nil {
		return err
	}
	a := federation.OrgAssociation{
		Local: local, Remote: data.Org, RemoteName: data.Name, Site: data.Site, PublicKey: data.PublicKey, RemoteEnabled: true,
		// Providers act at each other's sites as VCD has them do; people of tenants
		// only where the tenant says so.
		MapUsers: local == tenants.SystemOrgID,
		Status:   federation.Asymmetric, Reason: notYet, StatusAt: d.now, CreatedAt: d.now,
	}
	if data.Site == d.s.c.Site {
		if err := d.meet(&a); err != nil {
			return err
		}
	}
	if err := d.PutOrgAssociation(a); err != nil {
		return err
	}
	return d.recordOrg(d.by.Actor(), a, journal.OrgAssociated, map[string]string{
		"status": string(a.Status), "fingerprint": Fingerprint(a.PublicKey),
	})
}

// meet gives an association inside the site its status, and the other half the
// same: both organizations are held.
func (d desk) meet(a *federation.OrgAssociation) error {
	a.Reason = "The other organization does not hold the association yet."
	other, err := d.otherHalf(*a)
	if problem.Has(err, problem.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	a.Status, a.Reason = federation.StatusActive, ""
	return d.setHalf(other, federation.StatusChange{Status: federation.StatusActive, At: d.now})
}

func (d desk) otherHalf(a federation.OrgAssociation) (federation.OrgAssociation, error) {
	return d.OrgAssociation(a.Remote, tenants.LocationID{Org: a.Local, Site: a.Site})
}

// setHalf changes the status of what another organization holds. Its audit trail
// names the gateway: who works for the first is none of its business.
func (d desk) setHalf(a federation.OrgAssociation, now federation.StatusChange) error {
	did, err := d.SetOrgStatus(a.Local, a.Location(), a.Status, now)
	if err != nil || !did {
		return err
	}
	return d.recordOrg(journal.System, a, journal.OrgLinkStatus,
		tenants.Changed(map[string][2]string{"status": {string(a.Status), string(now.Status)}}))
}

// dropOrg ends an association; the other half, if it is inside the site, is of one
// side then.
func (d desk) dropOrg(a federation.OrgAssociation) error {
	if a.Site == d.s.c.Site {
		if err := d.part(a); err != nil {
			return err
		}
	}
	if err := d.DeleteOrgAssociation(a.Local, a.Location()); err != nil {
		return err
	}
	return d.recordOrg(d.by.Actor(), a, journal.OrgLinkRemoved, nil)
}

func (d desk) part(a federation.OrgAssociation) error {
	other, err := d.otherHalf(a)
	if problem.Has(err, problem.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return d.setHalf(other, federation.StatusChange{
		Status: federation.Asymmetric, Reason: "The other organization ended the association.", At: d.now,
	})
}

func (d desk) orgTask(local tenants.OrgID, name, operation string) (tenants.Task, error) {
	o, err := d.Organization(local)
	if err != nil {
		return tenants.Task{}, hidden(err)
	}
	return d.task(local, name, operation, tenants.TaskEntity{Kind: "org", ID: string(local), Name: o.Name})
}

// recordOrg writes what was done to an association, and at which site it ends: who
// follows the journal is told by that which site it concerns.
func (d desk) recordOrg(actor journal.Actor, a federation.OrgAssociation, action journal.Action, detail map[string]string) error {
	if detail == nil {
		detail = map[string]string{}
	}
	detail["site"] = string(a.Site)
	return d.recordAs(actor, a.Local, action, orgSubject(a), detail)
}

func orgSubject(a federation.OrgAssociation) journal.Subject {
	return journal.Subject{Kind: journal.KindOrgAssociation, ID: string(a.Remote), Name: a.RemoteName}
}
