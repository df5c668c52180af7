package site

import (
	"crypto/ecdsa"
	"os"
	"path/filepath"

	"causeway/federation/associations"
	"causeway/federation/federationhttp"
	"causeway/internal/config"
	"causeway/internal/localca"
	"causeway/tenants"
	"causeway/tenants/tenantshttp"
)

func (s *Site) openAssociations() {
	s.name = associations.NewName(s.db.Federation(), s.self.Name)
	s.associations = associations.New(associations.Config{
		Office: s.db.Office(), Store: s.db.Federation(), Keys: s.keys, Site: s.self.ID,
		Root: func() *ecdsa.PublicKey { return s.Root() }, PublicURL: s.config.Public.URL, Authority: s.authority,
		TenantsMay: s.config.Federation.TenantAssociations == config.Allowed, PerOrg: s.config.Federation.AssociationsPerOrg,
		Changed: s.associationChanged, Now: s.now,
	})
}

// associationChanged is told of a site with which something was changed here.
func (s *Site) associationChanged(site tenants.SiteID) { s.contact.Changed(site) }

// authority is what a peer needs to trust the public listener: what the
// configuration says, or the local authority that made its certificate.
func (s *Site) authority() (string, error) {
	c := s.config.Public
	switch {
	case c.Authority != "":
		pem, err := os.ReadFile(c.Authority)
		return string(pem), err
	case c.Certificate != "": // of an authority that everybody trusts
		return "", nil
	}
	pem, err := os.ReadFile(filepath.Join(filepath.Dir(s.config.Keys.MasterFile), localca.File))
	return string(pem), err
}

func (s *Site) associationHandler(orgs *tenantshttp.Handler) *federationhttp.Associations {
	return &federationhttp.Associations{
		Service: s.associations, PublicURL: s.config.Public.URL, Site: s.self.ID,
		Org: orgs.OrgOf, Accepted: orgs.AcceptedTask,
	}
}
