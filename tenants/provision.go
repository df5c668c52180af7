package tenants

import (
	"context"
	"slices"
	"strings"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
)

// Names of the roles that exist from the start.
const (
	SystemAdministrator       = "System Administrator"
	OrganizationAdministrator = "Organization Administrator"
)

// Provisioner creates what a site starts with. Nobody asks it over the network:
// it checks what is given, not who gives it. For callers with rights there is
// [Service].
type Provisioner struct {
	store  Store
	hasher *secret.PasswordHasher
	now    func() time.Time
}

// NewProvisioner makes a Provisioner.
func NewProvisioner(store Store, hasher *secret.PasswordHasher, now func() time.Time) *Provisioner {
	return &Provisioner{store: store, hasher: hasher, now: now}
}

func (p *Provisioner) clock() time.Time { return p.now().UTC().Truncate(time.Microsecond) }

// EnsureSystem creates the provider's organization with its administrator role,
// and the default global roles and rights bundles, where they are missing:
// every site has them from its first start.
func (p *Provisioner) EnsureSystem(ctx context.Context) error {
	var admin Role
	var missing, unpublished bool
	err := p.store.View(ctx, func(r Reader) (err error) {
		admin, err = r.RoleByName(SystemOrgID, SystemAdministrator)
		if missing = problem.Has(err, problem.NotFound); err != nil && !missing {
			return err
		}
		// The journal remembers also those that the provider has deleted.
		published, err := r.WasRecorded(SystemOrgID, journal.BundleCreated)
		unpublished = !published
		return err
	})
	switch {
	case err != nil:
		return err
	case missing:
		err = unlessDuplicate(p.createSystem(ctx))
	case SetOf(admin.Rights...) != AllRights():
		err = p.completeAdministrator(ctx, admin) // this version knows more rights
	}
	if err == nil && unpublished {
		err = unlessDuplicate(p.createDefaults(ctx))
	}
	return err
}

func (p *Provisioner) completeAdministrator(ctx context.Context, admin Role) error {
	now := p.clock()
	return p.store.InTx(ctx, func(tx Tx) error {
		if err := tx.SetRoleRights(SystemOrgID, admin.ID, AllRights().List()); err != nil {
			return err
		}
		return record(tx, Caller{}, now, SystemOrgID, journal.RoleUpdated, admin.subject(), nil)
	})
}

// unlessDuplicate forgives that another cell was first.
func unlessDuplicate(err error) error {
	if problem.Has(err, problem.DuplicateName) {
		return nil
	}
	return err
}

func (p *Provisioner) createSystem(ctx context.Context) error {
	o := Organization{ID: SystemOrgID, Name: SystemOrgName, DisplayName: SystemOrgName, Enabled: true, CreatedAt: p.clock()}
	role := Role{
		ID: RoleID(NewID()), Org: o.ID, Name: SystemAdministrator, ReadOnly: true,
		Description: "Has every right.", Rights: AllRights().List(),
	}
	return p.store.InTx(ctx, func(tx Tx) error {
		if err := p.createOrganization(tx, Caller{}, o); err != nil {
			return err
		}
		if err := tx.CreateRole(role); err != nil {
			return err
		}
		return record(tx, Caller{}, o.CreatedAt, o.ID, journal.RoleCreated, role.subject(), nil)
	})
}

func (p *Provisioner) createDefaults(ctx context.Context) error {
	now := p.clock()
	return p.store.InTx(ctx, func(tx Tx) error {
		for _, d := range slices.Concat(DefaultGlobalRoles(), DefaultRightsBundles()) {
			if err := tx.CreatePublication(d); err != nil {
				return err
			}
			action := d.Kind.action(journal.GlobalRoleCreated, journal.BundleCreated)
			if err := record(tx, Caller{}, now, SystemOrgID, action, d.subject(), nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// CreateOrganization makes an enabled organization.
func (p *Provisioner) CreateOrganization(ctx context.Context, by Caller, name, displayName string) (Organization, error) {
	o := Organization{ID: OrgID(NewID()), Name: name, DisplayName: displayName, Enabled: true, CreatedAt: p.clock()}
	if err := o.check(); err != nil {
		return Organization{}, err
	}
	return o, p.store.InTx(ctx, func(tx Tx) error { return p.createOrganization(tx, by, o) })
}

func (p *Provisioner) createOrganization(tx Tx, by Caller, o Organization) error {
	if err := tx.CreateOrganization(o); err != nil {
		return err
	}
	return record(tx, by, o.CreatedAt, o.ID, journal.OrganizationCreated, o.subject(), nil)
}

// CreateRole makes a role. Unknown rights, and in a tenant's organization rights
// of the provider, are problem.BadRequest.
func (p *Provisioner) CreateRole(ctx context.Context, by Caller, org OrgID, name string, rights []Right) (Role, error) {
	if err := (RoleText{Name: name}).check("role"); err != nil {
		return Role{}, err
	}
	if err := available(most(org), rights); err != nil {
		return Role{}, err
	}
	role, now := Role{ID: RoleID(NewID()), Org: org, Name: name, Rights: rights}, p.clock()
	err := p.store.InTx(ctx, func(tx Tx) error {
		if err := tx.CreateRole(role); err != nil {
			return err
		}
		return record(tx, by, now, org, journal.RoleCreated, role.subject(), nil)
	})
	return role, err
}

// CreateUser makes an enabled user with one role.
func (p *Provisioner) CreateUser(ctx context.Context, by Caller, org OrgID, name, roleName string, password secret.Text) (User, error) {
	u, err := User{ID: UserID(NewID()), Org: org, Enabled: true, CreatedAt: p.clock()}.named(name)
	if err != nil {
		return User{}, err
	}
	if u.PasswordHash, err = hashOf(ctx, p.hasher, u.Name, password); err != nil {
		return User{}, err
	}
	err = p.store.InTx(ctx, func(tx Tx) error {
		role, err := tx.RoleByName(org, roleName)
		if err != nil {
			return err
		}
		u.Role = role.ID
		if err := tx.CreateUser(u); err != nil {
			return err
		}
		return record(tx, by, u.CreatedAt, org, journal.UserCreated, u.subject(), map[string]string{"role": role.Name})
	})
	return u, err
}

// checkName allows what can stand in a login, a URL path and a header.
func checkName(what, name string) error {
	if !ValidName(name) || strings.ContainsAny(name, `/\?#%:"<>|*`) {
		return problem.New(problem.BadRequest, `The name of %s has 1 to %d bytes and none of /\?#%%:"<>|*.`, what, MaxName).In("name")
	}
	return nil
}
