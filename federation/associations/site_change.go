package associations

import (
	"context"

	"causeway/federation"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/tenants"
)

// changeSites is change for the provider, one after the other: of two who bring
// different keys of one site, the second must see the first.
func (s *Service) changeSites(ctx context.Context, by tenants.Caller, f func(desk) ([]tenants.SiteID, error)) error {
	if !by.Principal.Provider() {
		return problem.Hidden()
	}
	return s.change(ctx, by, func(d desk) ([]tenants.SiteID, error) {
		if err := d.lock(tenants.SystemOrgID); err != nil {
			return nil, err
		}
		return f(d)
	})
}

func (d desk) heldSite(id tenants.SiteID) (federation.SiteAssociation, error) {
	if err := d.LockSiteAssociation(id); err != nil {
		return federation.SiteAssociation{}, hidden(err)
	}
	return d.SiteAssociation(id)
}

// putSite creates or updates. What is known from contact, and what an
// administrator has set, stays.
func (d desk) putSite(data SiteData) error {
	old, err := d.heldSite(data.Site)
	if problem.Has(err, problem.NotFound) {
		return d.createSite(data)
	}
	if err != nil {
		return err
	}
	if err := d.s.acceptable(data, &old); err != nil {
		return err
	}
	a := old
	a.Name, a.RestEndpoint, a.BaseUIEndpoint, a.RestEndpointCertificate = data.Name, data.RestEndpoint, data.BaseUIEndpoint, data.Certificate
	detail := tenants.Changed(map[string][2]string{
		"name": {old.Name, a.Name}, "restEndpoint": {old.RestEndpoint, a.RestEndpoint}, "baseUiEndpoint": {old.BaseUIEndpoint, a.BaseUIEndpoint},
	})
	if old.RestEndpointCertificate != a.RestEndpointCertificate {
		detail["restEndpointCertificate"] = "changed"
	}
	if len(detail) == 0 {
		return nil
	}
	if err := d.PutSiteAssociation(a); err != nil {
		return err
	}
	return d.record(tenants.SystemOrgID, journal.SiteLinkUpdated, siteSubject(a.Site, a.Name), detail)
}

func (d desk) createSite(data SiteData) error {
	if err := d.s.acceptable(data, nil); err != nil {
		return err
	}
	err := d.PutSiteAssociation(federation.SiteAssociation{
		Site: data.Site, Name: data.Name, RestEndpoint: data.RestEndpoint, BaseUIEndpoint: data.BaseUIEndpoint,
		RestEndpointCertificate: data.Certificate, PublicKey: data.PublicKey,
		Status: federation.Asymmetric, Reason: notYet, StatusAt: d.now, CreatedAt: d.now,
	})
	if err != nil {
		return err
	}
	return d.record(tenants.SystemOrgID, journal.SiteAssociated, siteSubject(data.Site, data.Name), map[string]string{
		"restEndpoint": data.RestEndpoint, "fingerprint": Fingerprint(data.PublicKey),
	})
}

// dropSite ends an association that no organization leans on.
func (d desk) dropSite(a federation.SiteAssociation) error {
	if err := d.LockSiteAssociation(a.Site); err != nil {
		return hidden(err)
	}
	n, err := d.CountAssociatedWith(a.Site)
	if err != nil {
		return err
	}
	if n > 0 {
		return problem.New(problem.Conflict, "%d associations of organizations with site %s are left: they must be deleted first.", n, a.Name)
	}
	if err := d.DeleteSiteAssociation(a.Site); err != nil {
		return err
	}
	return d.record(tenants.SystemOrgID, journal.SiteLinkRemoved, siteSubject(a.Site, a.Name), nil)
}

func (d desk) siteTask(name, operation string, id tenants.SiteID, site string) (tenants.Task, error) {
	return d.task(tenants.SystemOrgID, name, operation, tenants.TaskEntity{Kind: "site", ID: string(id), Name: site})
}

func siteSubject(id tenants.SiteID, name string) journal.Subject {
	return journal.Subject{Kind: journal.KindSite, ID: string(id), Name: name}
}
