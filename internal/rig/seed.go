package rig

import (
	"context"
	"errors"
	"time"

	"causeway/federation/links"
	"causeway/internal/secret"
	"causeway/internal/site"
	"causeway/oauth"
	"causeway/tenants"
)

// The app that every organization knows, and what it may do: the same everywhere.
const (
	appName  = "app"
	appUse   = "5d1e9a34-7c0b-4d8e-9a55-2f3f6c1f7a10" // its software ID
	appRole  = "Rig App"
	appRight = tenants.Right("Role: View")
	appPath  = "/cloudapi/1.0.0/roles" // which needs that right
)

// seed makes the organization of a site that does not serve yet, its app, and
// notes what other sites need to know.
func (p *place) seed(ctx context.Context) error {
	s := p.cells[0].process.site
	p.id = s.Self().ID
	admin, err := s.Provisioner().CreateUser(ctx, tenants.Caller{}, tenants.SystemOrgID, "administrator", tenants.SystemAdministrator, secret.Text(secret.Base62(16)))
	if err != nil {
		return err
	}
	p.admin = tenants.Caller{Principal: tenants.Principal{
		Kind: tenants.KindUser, ID: string(admin.ID), Name: admin.Name, Org: tenants.SystemOrgID, Role: admin.Role,
	}}
	org, err := s.Provisioner().CreateOrganization(ctx, p.admin, p.name, p.name)
	if err != nil {
		return err
	}
	p.org = org.ID
	if _, err := s.Provisioner().CreateRole(ctx, p.admin, org.ID, appRole, []tenants.Right{appRight}); err != nil {
		return err
	}
	s.Directory().Flush() // nothing follows the journal yet that would do it
	if err := p.keys(ctx, s); err != nil {
		return err
	}
	snapshot, err := s.Directory().Organization(ctx, p.org)
	if err != nil {
		return err
	}
	account, err := s.OAuth().Register(ctx, p.admin, snapshot, oauth.Registration{
		ClientName: appName, SoftwareID: appUse, SoftwareVersion: "1.0", Scope: oauth.RoleScope(appRole),
	})
	p.app = account.ID
	return errors.Join(err, p.login(ctx, s))
}

// keys notes the site's public keys, as association data would tell them.
func (p *place) keys(ctx context.Context, s *site.Site) (err error) {
	if p.root, err = links.EncodePublicKey(s.Root()); err != nil {
		return err
	}
	key, err := links.EnsureOrgKey(ctx, s.DB().Federation(), s.Keys(), p.org, p.stamp())
	if err != nil {
		return err
	}
	p.orgKey, err = links.EncodePublicKey(&key.PublicKey)
	return err
}

// login runs the device grant of the app, with the administrator's approval.
func (p *place) login(ctx context.Context, s *site.Site) error {
	org, err := s.Directory().Organization(ctx, p.org)
	if err != nil {
		return err
	}
	device, err := s.OAuth().AuthorizeDevice(ctx, tenants.Caller{}, org, p.app)
	if err != nil {
		return err
	}
	if err := s.OAuth().Grant(ctx, p.admin, org, device.UserCode); err != nil {
		return err
	}
	tokens, err := s.OAuth().RedeemDevice(ctx, tenants.Caller{}, org, p.app, device.DeviceCode)
	if err != nil {
		return err
	}
	p.token.Store(&tokens.AccessToken)
	return nil
}

// requestTime is when a client gives up.
const requestTime = 30 * time.Second
