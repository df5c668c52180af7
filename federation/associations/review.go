package associations

import (
	"context"

	"causeway/federation"
	"causeway/internal/problem"
	"causeway/tenants"
)

// SiteReview is what AssociateSite would take in, for people who decide whether to
// trust it.
type SiteReview struct {
	SiteData
	Held *federation.SiteAssociation // what is there already; nil for a new one
}

// Key is the key that the association would hold.
func (r SiteReview) Key() string {
	if r.PublicKey == "" && r.Held != nil {
		return r.Held.PublicKey
	}
	return r.PublicKey
}

// ReviewSite judges data as AssociateSite would, and changes nothing.
func (s *Service) ReviewSite(ctx context.Context, given SiteData) (r SiteReview, err error) {
	if r.SiteData, err = given.normal(); err != nil {
		return r, err
	}
	err = s.c.Office.View(ctx, func(tx federation.OfficeReader) error {
		held, err := tx.SiteAssociation(r.Site)
		switch {
		case err == nil:
			r.Held = &held
		case !problem.Has(err, problem.NotFound):
			return err
		}
		return s.acceptable(r.SiteData, r.Held)
	})
	return r, err
}

// acceptable judges data about a site by what is held of it, if anything.
func (s *Service) acceptable(data SiteData, held *federation.SiteAssociation) error {
	switch {
	case data.Site == s.c.Site:
		return problem.New(problem.BadRequest, "A site is not associated with itself.")
	case held == nil && data.PublicKey == "":
		return problem.New(problem.BadRequest, "PublicKey is missing: it is who the site is.")
	case held != nil && data.PublicKey != "" && data.PublicKey != held.PublicKey && data.PublicKey != held.NextKey:
		return anotherKey(held.Name, held.PublicKey, data.PublicKey)
	}
	return nil
}

// OrgReview is what AssociateOrg would take in.
type OrgReview struct {
	OrgData
	Held *federation.OrgAssociation // what is there already; nil for a new one
}

// Key is the key that the association would hold.
func (r OrgReview) Key() string {
	if r.PublicKey == "" && r.Held != nil {
		return r.Held.PublicKey
	}
	return r.PublicKey
}

// ReviewOrg judges data as AssociateOrg would, and changes nothing.
func (s *Service) ReviewOrg(ctx context.Context, by tenants.Caller, local tenants.OrgID, given OrgData) (r OrgReview, err error) {
	if err := s.mayAssociate(by); err != nil {
		return r, err
	}
	if r.OrgData, err = s.normalOrg(local, given); err != nil {
		return r, err
	}
	err = s.c.Office.View(ctx, func(tx federation.OfficeReader) error {
		if err := s.lookAcross(tx, &r.OrgData); err != nil {
			return err
		}
		held, err := tx.OrgAssociation(local, r.Location())
		switch {
		case err == nil:
			r.Held = &held
		case !problem.Has(err, problem.NotFound):
			return err
		}
		return acceptableOrg(r.OrgData, r.Held)
	})
	return r, err
}

// lookAcross is otherSide for who only looks. It calls the other site as this one
// knows it, whatever the data says.
func (s *Service) lookAcross(tx federation.OfficeReader, data *OrgData) error {
	if data.Site != s.c.Site {
		a, err := tx.SiteAssociation(data.Site)
		data.SiteName = a.Name
		return noSite(err, data.Site)
	}
	self, err := tx.Self()
	if err != nil {
		return err
	}
	data.SiteName = self.Name
	return s.insideSite(tx, data)
}

// acceptableOrg judges data about an organization by what is held of it.
func acceptableOrg(data OrgData, held *federation.OrgAssociation) error {
	switch {
	case held == nil && data.PublicKey == "":
		return problem.New(problem.BadRequest, "OrgPublicKey is missing: it is who the organization is.")
	case held != nil && data.PublicKey != "" && data.PublicKey != held.PublicKey:
		return anotherKey(held.RemoteName, held.PublicKey, data.PublicKey)
	}
	return nil
}
