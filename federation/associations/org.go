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

// LocalOrg is an organization's own association data. Its key is made when it is
// asked for the first time.
func (s *Service) LocalOrg(ctx context.Context, org tenants.Organization) (d OrgData, err error) {
	key, err := links.EnsureOrgKey(ctx, s.c.Store, s.c.Keys, org.ID, s.clock())
	if err != nil {
		return d, err
	}
	d = OrgData{Site: s.c.Site, Org: org.ID, Name: org.Name}
	if d.PublicKey, err = encoded(&key.PublicKey); err != nil {
		return d, err
	}
	return d, s.c.Office.View(ctx, func(r federation.OfficeReader) error {
		self, err := r.Self()
		d.SiteName = self.Name
		return err
	})
}

// Orgs lists what an organization is associated with.
func (s *Service) Orgs(ctx context.Context, local tenants.OrgID, q tenants.Query) (list []federation.ListedOrgAssociation, total int, err error) {
	err = s.c.Office.View(ctx, func(r federation.OfficeReader) error {
		list, total, err = r.OrgAssociationPage(local, q)
		return err
	})
	return list, total, err
}

// EveryOrg lists what all organizations are associated with. It is the provider's.
func (s *Service) EveryOrg(ctx context.Context, q tenants.Query) (list []federation.ListedOrgAssociation, total int, err error) {
	err = s.c.Office.View(ctx, func(r federation.OfficeReader) error {
		list, total, err = r.EveryOrgAssociation(q)
		return err
	})
	return list, total, err
}

// maxOrgs is how many associations of one organization are shown at once, where
// VCD knows no pages, and taken at once.
const maxOrgs = 10_000

// AllOrgs lists them without pages.
func (s *Service) AllOrgs(ctx context.Context, local tenants.OrgID) ([]federation.ListedOrgAssociation, error) {
	list, _, err := s.Orgs(ctx, local, tenants.Query{Page: 1, PageSize: maxOrgs})
	return list, err
}

// Org is one of them. Without a site it is the only one with an organization of
// that identifier; the provider's organization has the same at every site.
func (s *Service) Org(ctx context.Context, local tenants.OrgID, remote tenants.LocationID) (federation.ListedOrgAssociation, error) {
	q := tenants.Query{Where: "remote_org_id = ?", Args: []any{string(remote.Org)}, Page: 1, PageSize: 2}
	if remote.Site != "" {
		q.Where, q.Args = q.Where+" AND site_id = ?", append(q.Args, string(remote.Site))
	}
	list, _, err := s.Orgs(ctx, local, q)
	switch {
	case err != nil:
		return federation.ListedOrgAssociation{}, err
	case len(list) == 0:
		return federation.ListedOrgAssociation{}, problem.Hidden()
	case len(list) > 1:
		return federation.ListedOrgAssociation{}, problem.New(problem.BadRequest, "Organizations of several sites have this identifier; name it as <organization>@<site>.")
	}
	return list[0], nil
}

// AssociateOrg has an organization hold an association with another from now on.
// Doing so again with the same key brings the rest up to date; with another key
// it is problem.Conflict, see [Service.ReplaceOrgKey].
func (s *Service) AssociateOrg(ctx context.Context, by tenants.Caller, local tenants.OrgID, given OrgData) (task tenants.Task, err error) {
	data, err := s.normalOrg(local, given)
	if err != nil {
		return task, err
	}
	err = s.changeOrgs(ctx, by, local, []tenants.LocationID{data.Location()}, func(d desk) ([]tenants.SiteID, error) {
		if err := d.mayAssociate(); err != nil {
			return nil, err
		}
		if err := d.putOrg(local, &data); err != nil {
			return nil, err
		}
		task, err = d.orgTask(local, "orgAssociationCreate", "Associated with organization "+data.Name)
		return []tenants.SiteID{data.Site}, err
	})
	return task, err
}

// ReplaceOrgs makes the given ones all that an organization holds.
func (s *Service) ReplaceOrgs(ctx context.Context, by tenants.Caller, local tenants.OrgID, given []OrgData) (task tenants.Task, err error) {
	list, err := s.normalOrgs(local, given)
	if err != nil {
		return task, err
	}
	with, err := s.locations(ctx, local, list)
	if err != nil {
		return task, err
	}
	err = s.changeOrgs(ctx, by, local, with, func(d desk) ([]tenants.SiteID, error) {
		held, err := d.OrgAssociations(local)
		if err != nil {
			return nil, err
		}
		changed, err := d.replaceOrgs(local, held, list)
		if err != nil {
			return nil, err
		}
		task, err = d.orgTask(local, "orgAssociationsUpdate", "Replaced the organization's associations")
		return changed, err
	})
	return task, err
}

// locations are all that the replacement of a list may concern.
func (s *Service) locations(ctx context.Context, local tenants.OrgID, list []OrgData) (with []tenants.LocationID, err error) {
	for _, d := range list {
		with = append(with, d.Location())
	}
	return with, s.c.Office.View(ctx, func(r federation.OfficeReader) error {
		held, err := r.OrgAssociations(local)
		for _, a := range held {
			with = append(with, a.Location())
		}
		return err
	})
}

func (d desk) replaceOrgs(local tenants.OrgID, held []federation.OrgAssociation, list []OrgData) (changed []tenants.SiteID, err error) {
	for _, a := range held {
		if slices.ContainsFunc(list, func(l OrgData) bool { return l.Location() == a.Location() }) {
			continue
		}
		if err := d.dropOrg(a); err != nil {
			return nil, err
		}
		changed = append(changed, a.Site)
	}
	if len(list) > 0 {
		err = d.mayAssociate()
	}
	for i := 0; i < len(list) && err == nil; i++ {
		err = d.putOrg(local, &list[i])
		changed = append(changed, list[i].Site)
	}
	slices.Sort(changed)
	return slices.Compact(changed), err
}

func (s *Service) normalOrg(local tenants.OrgID, d OrgData) (OrgData, error) {
	if err := s.mayPair(local, d); err != nil {
		return d, err
	}
	return d.normal()
}

func (s *Service) normalOrgs(local tenants.OrgID, given []OrgData) ([]OrgData, error) {
	if len(given) > maxOrgs {
		return nil, problem.New(problem.BadRequest, "A list holds at most %d associations.", maxOrgs)
	}
	seen := map[tenants.LocationID]bool{}
	list := make([]OrgData, 0, len(given))
	for _, d := range given {
		d, err := s.normalOrg(local, d)
		if err != nil {
			return nil, err
		}
		if seen[d.Location()] {
			return nil, problem.New(problem.BadRequest, "The organization %s is in the list twice.", d.Location())
		}
		seen[d.Location()] = true
		list = append(list, d)
	}
	return list, nil
}

// RemoveOrg ends an association.
func (s *Service) RemoveOrg(ctx context.Context, by tenants.Caller, local tenants.OrgID, remote tenants.LocationID) (task tenants.Task, err error) {
	err = s.changeOrgs(ctx, by, local, []tenants.LocationID{remote}, func(d desk) ([]tenants.SiteID, error) {
		a, err := d.heldOrg(local, remote)
		if err != nil {
			return nil, err
		}
		if err := d.dropOrg(a); err != nil {
			return nil, err
		}
		task, err = d.orgTask(local, "orgAssociationDelete", "Ended the association with organization "+a.RemoteName)
		return []tenants.SiteID{a.Site}, err
	})
	return task, err
}

// OrgSettings are what an organization decides about those it is associated with.
type OrgSettings struct {
	MapUsers bool // people map by name, too
	Direct   bool // tokens of the other side may be shown here
}

// SetOrg changes the settings of an association.
func (s *Service) SetOrg(ctx context.Context, by tenants.Caller, local tenants.OrgID, remote tenants.LocationID, set OrgSettings) error {
	return s.changeOrgs(ctx, by, local, nil, func(d desk) ([]tenants.SiteID, error) {
		a, err := d.heldOrg(local, remote)
		if err != nil {
			return nil, err
		}
		detail := tenants.Changed(map[string][2]string{
			"mapUsers": {yesNo(a.MapUsers), yesNo(set.MapUsers)}, "direct": {yesNo(a.Direct), yesNo(set.Direct)},
		})
		if len(detail) == 0 {
			return nil, nil
		}
		a.MapUsers, a.Direct = set.MapUsers, set.Direct
		if err := d.PutOrgAssociation(a); err != nil {
			return nil, err
		}
		return []tenants.SiteID{a.Site}, d.recordOrg(d.by.Actor(), a, journal.OrgLinkUpdated, detail)
	})
}

func yesNo(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

// ReplaceOrgKey pins another key of an organization at another site, after people
// of both sides have compared its fingerprint. Inside the site the key is known.
func (s *Service) ReplaceOrgKey(ctx context.Context, by tenants.Caller, local tenants.OrgID, remote tenants.LocationID, key string) error {
	key, err := normalKey(key)
	if err != nil {
		return err
	}
	return s.changeOrgs(ctx, by, local, nil, func(d desk) ([]tenants.SiteID, error) {
		if err := d.mayAssociate(); err != nil {
			return nil, err
		}
		a, err := d.heldOrg(local, remote)
		switch {
		case err != nil:
			return nil, err
		case a.PublicKey == key:
			return nil, nil
		case a.Site == s.c.Site:
			return nil, problem.New(problem.Conflict, "Organizations of this site are known by their keys here; there is nothing to replace.")
		}
		old := a.PublicKey
		a.PublicKey, a.Status, a.Reason, a.StatusAt = key, federation.Asymmetric, notYet, d.now
		if err := d.PutOrgAssociation(a); err != nil {
			return nil, err
		}
		return []tenants.SiteID{a.Site}, d.recordOrg(d.by.Actor(), a, journal.OrgLinkUpdated, keyChange(old, key))
	})
}
