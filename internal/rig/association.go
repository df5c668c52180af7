package rig

import (
	"context"
	"time"

	"causeway/federation"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/tenants"
)

// associate writes p's half of the associations with another site: what an
// administrator makes of the data that the other one handed over.
func (p *place) associate(ctx context.Context, with *place, orgs bool, status federation.Status) error {
	now := p.stamp()
	return p.change(ctx, func(tx federation.Tx) error {
		err := tx.PutSiteAssociation(federation.SiteAssociation{
			Site: with.id, Name: with.name, RestEndpoint: with.url() + "/api", BaseUIEndpoint: with.url(),
			RestEndpointCertificate: p.world.ca.PEM, PublicKey: with.root,
			Status: status, StatusAt: now, CreatedAt: now,
		})
		if err != nil {
			return err
		}
		if err := tx.Record(p.row(now, journal.SiteAssociated, with)); err != nil || !orgs {
			return err
		}
		err = tx.PutOrgAssociation(federation.OrgAssociation{
			Local: p.org, Remote: with.org, RemoteName: with.name, RemoteEnabled: true, Site: with.id, PublicKey: with.orgKey,
			Status: status, StatusAt: now, CreatedAt: now,
		})
		if err != nil {
			return err
		}
		return tx.Record(p.row(now, journal.OrgAssociated, with))
	})
}

// remove takes p's half away.
func (p *place) remove(ctx context.Context, with *place) error {
	return p.change(ctx, func(tx federation.Tx) error {
		err := tx.DeleteOrgAssociation(p.org, with.location())
		if err == nil {
			err = tx.Record(p.row(p.stamp(), journal.OrgLinkRemoved, with))
		}
		if err != nil && !problem.Has(err, problem.NotFound) {
			return err
		}
		if err := tx.DeleteSiteAssociation(with.id); err != nil {
			return err
		}
		return tx.Record(p.row(p.stamp(), journal.SiteLinkRemoved, with))
	})
}

func (p *place) change(ctx context.Context, f func(federation.Tx) error) error {
	for _, c := range p.cells {
		c.mu.Lock()
		s := c.process
		c.mu.Unlock()
		if s != nil { // before the start as well
			return s.site.DB().Federation().InTx(ctx, f)
		}
	}
	return errDown
}

func (p *place) location() tenants.LocationID { return tenants.LocationID{Org: p.org, Site: p.id} }

// row is the journal's of a change of p's association with a site or with its
// organization.
func (p *place) row(at time.Time, action journal.Action, with *place) journal.Entry {
	e := journal.Entry{At: at, Org: string(tenants.SystemOrgID), Actor: journal.System, Action: action}
	e.Subject = journal.Subject{Kind: journal.KindSite, ID: string(with.id), Name: with.name}
	if action == journal.OrgAssociated || action == journal.OrgLinkRemoved {
		e.Org = string(p.org)
		e.Subject = journal.Subject{Kind: journal.KindOrgAssociation, ID: string(with.org), Name: with.name}
	}
	return e
}
