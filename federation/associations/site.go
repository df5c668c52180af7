package associations

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"causeway/federation"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/tenants"
)

// notYet is the reason of an association that contact has not looked at.
const notYet = "The other side has not been heard from since the association was made."

// LocalSite is this site's own association data.
func (s *Service) LocalSite(ctx context.Context) (d SiteData, err error) {
	d = SiteData{Site: s.c.Site, RestEndpoint: s.c.PublicURL + "/api", BaseUIEndpoint: s.c.PublicURL}
	err = s.c.Office.View(ctx, func(r federation.OfficeReader) error {
		self, err := r.Self()
		d.Name = self.Name
		return err
	})
	if err != nil {
		return d, err
	}
	if s.c.Authority != nil {
		if d.Certificate, err = s.c.Authority(); err != nil {
			return d, err
		}
	}
	d.PublicKey, err = encoded(s.c.Root())
	return d, err
}

// Sites lists what this site is associated with, by name.
func (s *Service) Sites(ctx context.Context) (list []federation.SiteAssociation, err error) {
	err = s.c.Office.View(ctx, func(r federation.OfficeReader) error {
		list, err = r.SiteAssociations()
		return err
	})
	return list, err
}

// Site is one of them.
func (s *Service) Site(ctx context.Context, id tenants.SiteID) (a federation.SiteAssociation, err error) {
	err = s.c.Office.View(ctx, func(r federation.OfficeReader) error {
		a, err = r.SiteAssociation(id)
		return hidden(err)
	})
	return a, err
}

// AssociateSite holds an association with a site from now on. Doing so again with
// the same key brings the rest up to date; with another key it is
// problem.Conflict, see [Service.ReplaceSiteKey].
func (s *Service) AssociateSite(ctx context.Context, by tenants.Caller, given SiteData) (task tenants.Task, err error) {
	data, err := given.normal()
	if err != nil {
		return task, err
	}
	err = s.changeSites(ctx, by, func(d desk) ([]tenants.SiteID, error) {
		if err := d.putSite(data); err != nil {
			return nil, err
		}
		task, err = d.siteTask("siteAssociationCreate", "Associated with site "+data.Name, data.Site, data.Name)
		return []tenants.SiteID{data.Site}, err
	})
	return task, err
}

// UpdateSite is AssociateSite for an association that is there.
func (s *Service) UpdateSite(ctx context.Context, by tenants.Caller, id tenants.SiteID, given SiteData) (task tenants.Task, err error) {
	if given.Site != id {
		return task, problem.New(problem.BadRequest, "SiteId is not the site that the address names.")
	}
	data, err := given.normal()
	if err != nil {
		return task, err
	}
	err = s.changeSites(ctx, by, func(d desk) ([]tenants.SiteID, error) {
		if err := d.LockSiteAssociation(id); err != nil {
			return nil, hidden(err)
		}
		if err := d.putSite(data); err != nil {
			return nil, err
		}
		task, err = d.siteTask("siteAssociationUpdate", "Updated the association with site "+data.Name, id, data.Name)
		return []tenants.SiteID{id}, err
	})
	return task, err
}

// maxSites bounds the list that ReplaceSites takes: above what a federation has.
const maxSites = 2000

// ReplaceSites makes the given ones all there are.
func (s *Service) ReplaceSites(ctx context.Context, by tenants.Caller, given []SiteData) (task tenants.Task, err error) {
	list, err := normalSites(given)
	if err != nil {
		return task, err
	}
	err = s.changeSites(ctx, by, func(d desk) ([]tenants.SiteID, error) {
		held, err := d.SiteAssociations()
		if err != nil {
			return nil, err
		}
		var changed []tenants.SiteID
		for _, a := range held {
			if slices.ContainsFunc(list, func(l SiteData) bool { return l.Site == a.Site }) {
				continue
			}
			if err := d.dropSite(a); err != nil {
				return nil, err
			}
			changed = append(changed, a.Site)
		}
		for _, data := range list {
			if err := d.putSite(data); err != nil {
				return nil, err
			}
			changed = append(changed, data.Site)
		}
		task, err = d.siteTask("siteAssociationsUpdate", "Replaced the site associations", s.c.Site, "")
		return changed, err
	})
	return task, err
}

func normalSites(given []SiteData) ([]SiteData, error) {
	if len(given) > maxSites {
		return nil, problem.New(problem.BadRequest, "A site is associated with at most %d others.", maxSites)
	}
	seen := map[tenants.SiteID]bool{}
	list := make([]SiteData, 0, len(given))
	for _, d := range given {
		d, err := d.normal()
		if err != nil {
			return nil, err
		}
		if seen[d.Site] {
			return nil, problem.New(problem.BadRequest, "The site %s is in the list twice.", d.Site)
		}
		seen[d.Site] = true
		list = append(list, d)
	}
	return list, nil
}

// RemoveSite ends the association with a site. While organizations hold some with
// organizations there it is problem.Conflict, unless force ends those as well.
func (s *Service) RemoveSite(ctx context.Context, by tenants.Caller, id tenants.SiteID, force bool) (task tenants.Task, err error) {
	if force {
		if err := s.dropAllWith(ctx, by, id); err != nil {
			return task, err
		}
	}
	err = s.changeSites(ctx, by, func(d desk) ([]tenants.SiteID, error) {
		a, err := d.heldSite(id)
		if err != nil {
			return nil, err
		}
		if err := d.dropSite(a); err != nil {
			return nil, err
		}
		task, err = d.siteTask("siteAssociationDelete", "Ended the association with site "+a.Name, id, a.Name)
		return []tenants.SiteID{id}, err
	})
	return task, err
}

// dropBatch is how many associations of organizations one transaction ends.
const dropBatch = 500

// dropAllWith ends what organizations hold with a site, a batch at a time: there
// may be a hundred thousand, and each has its line in an audit trail.
func (s *Service) dropAllWith(ctx context.Context, by tenants.Caller, id tenants.SiteID) error {
	for left := dropBatch; left == dropBatch; {
		err := s.changeSites(ctx, by, func(d desk) ([]tenants.SiteID, error) {
			if err := d.LockSiteAssociation(id); err != nil {
				return nil, hidden(err)
			}
			list, err := d.AssociatedWith(id, federation.Pair{}, dropBatch)
			left = len(list)
			for _, a := range list {
				if err := d.dropOrg(a); err != nil {
					return nil, err
				}
			}
			return nil, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// RenameSite gives this site another name. Others learn of it with its next
// bundle, and keep the one that they wrote down.
func (s *Service) RenameSite(ctx context.Context, by tenants.Caller, name string) (task tenants.Task, err error) {
	if !tenants.ValidName(name) {
		return task, problem.New(problem.BadRequest, "SiteName has 1 to %d bytes and no control characters.", tenants.MaxName)
	}
	err = s.changeSites(ctx, by, func(d desk) ([]tenants.SiteID, error) {
		self, err := d.Self()
		if err != nil {
			return nil, err
		}
		if task, err = d.siteTask("siteUpdate", "Updated site "+name, self.ID, name); err != nil || self.Name == name {
			return nil, err
		}
		if err := d.RenameSelf(name); err != nil {
			return nil, err
		}
		return nil, d.record(tenants.SystemOrgID, journal.SiteUpdated, siteSubject(self.ID, name), tenants.Changed(map[string][2]string{"name": {self.Name, name}}))
	})
	return task, err
}

// SetAllowed bounds where the addresses of a site may lie; none allows all.
func (s *Service) SetAllowed(ctx context.Context, by tenants.Caller, id tenants.SiteID, allowed []netip.Prefix) (a federation.SiteAssociation, err error) {
	err = s.changeSites(ctx, by, func(d desk) ([]tenants.SiteID, error) {
		if a, err = d.heldSite(id); err != nil {
			return nil, err
		}
		old := a.Allowed
		if a.Allowed = allowed; slices.Equal(old, allowed) {
			return nil, nil
		}
		if err := d.PutSiteAssociation(a); err != nil {
			return nil, err
		}
		return []tenants.SiteID{id}, d.record(tenants.SystemOrgID, journal.SiteLinkUpdated, siteSubject(id, a.Name),
			tenants.Changed(map[string][2]string{"allowedNetworks": {networks(old), networks(allowed)}}))
	})
	return a, err
}

func networks(list []netip.Prefix) string {
	var texts []string
	for _, p := range list {
		texts = append(texts, p.String())
	}
	return strings.Join(texts, ",")
}

// ReplaceSiteKey pins another root key of a site: after people of both sides have
// compared its fingerprint, because the site lost the old one. What was known of
// the site by the old key counts no more.
func (s *Service) ReplaceSiteKey(ctx context.Context, by tenants.Caller, id tenants.SiteID, key string) (a federation.SiteAssociation, err error) {
	if key, err = normalKey(key); err != nil {
		return a, err
	}
	err = s.changeSites(ctx, by, func(d desk) ([]tenants.SiteID, error) {
		if a, err = d.heldSite(id); err != nil || a.PublicKey == key {
			return nil, err
		}
		old := a.PublicKey
		a.PublicKey, a.NextKey, a.Bundle, a.BundleSeq = key, "", "", 0
		a.Status, a.Reason, a.StatusAt = federation.Asymmetric, notYet, d.now
		if err := d.PutSiteAssociation(a); err != nil {
			return nil, err
		}
		return []tenants.SiteID{id}, d.record(tenants.SystemOrgID, journal.SiteLinkKey, siteSubject(id, a.Name), keyChange(old, key))
	})
	return a, err
}

func keyChange(old, key string) map[string]string {
	return tenants.Changed(map[string][2]string{"fingerprint": {Fingerprint(old), Fingerprint(key)}})
}
