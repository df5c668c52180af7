package tenants

import (
	"context"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
)

// Names of the roles that exist from the start.
const (
	SystemAdministrator       = "System Administrator"
	OrganizationAdministrator = "Organization Administrator"
)

// Provisioner creates organizations, roles and users.
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

// EnsureSystem creates the provider's organization and its administrator role
// where they are missing: every site has them from its first start.
func (p *Provisioner) EnsureSystem(ctx context.Context) error {
	err := p.store.View(ctx, func(r Reader) error {
		_, err := r.Organization(SystemOrgID)
		return err
	})
	if !problem.Has(err, problem.NotFound) {
		return err
	}
	o := Organization{ID: SystemOrgID, Name: SystemOrgName, DisplayName: SystemOrgName, Enabled: true, CreatedAt: p.clock()}
	err = p.create(ctx, Caller{}, o, SystemAdministrator)
	if problem.Has(err, problem.DuplicateName) { // another cell was first
		return nil
	}
	return err
}

// CreateOrganization makes an enabled organization with an administrator role
// that has every right a tenant may have.
func (p *Provisioner) CreateOrganization(ctx context.Context, by Caller, name, displayName string) (Organization, error) {
	if err := checkName("organization", name); err != nil {
		return Organization{}, err
	}
	o := Organization{ID: OrgID(NewID()), Name: name, DisplayName: displayName, Enabled: true, CreatedAt: p.clock()}
	return o, p.create(ctx, by, o, OrganizationAdministrator)
}

func (p *Provisioner) create(ctx context.Context, by Caller, o Organization, adminRole string) error {
	role := Role{ID: RoleID(NewID()), Org: o.ID, Name: adminRole}
	for _, info := range Catalog() {
		if o.System() || !info.Provider {
			role.Rights = append(role.Rights, info.Name)
		}
	}
	return p.store.InTx(ctx, func(tx Tx) error {
		if err := tx.CreateOrganization(o); err != nil {
			return err
		}
		if err := tx.CreateRole(role); err != nil {
			return err
		}
		return tx.Record(journal.Entry{
			At: o.CreatedAt, Org: string(o.ID), Actor: by.actorOrSystem(), Action: journal.OrganizationCreated,
			Subject:   journal.Subject{Kind: journal.KindOrganization, ID: string(o.ID), Name: o.Name},
			RequestID: by.RequestID, Source: by.Address,
		})
	})
}

// CreateRole makes a role. Unknown rights, and in a tenant's organization rights
// of the provider, are problem.BadRequest.
func (p *Provisioner) CreateRole(ctx context.Context, by Caller, org OrgID, name string, rights []Right) (Role, error) {
	if err := checkName("role", name); err != nil {
		return Role{}, err
	}
	for _, r := range rights {
		if info, ok := LookUpRight(r); !ok || (info.Provider && org != SystemOrgID) {
			return Role{}, problem.New(problem.BadRequest, "The right %q is not available to the organization.", string(r))
		}
	}
	role, now := Role{ID: RoleID(NewID()), Org: org, Name: name, Rights: rights}, p.clock()
	err := p.store.InTx(ctx, func(tx Tx) error {
		if err := tx.CreateRole(role); err != nil {
			return err
		}
		return tx.Record(journal.Entry{
			At: now, Org: string(org), Actor: by.actorOrSystem(), Action: journal.RoleCreated,
			Subject:   journal.Subject{Kind: journal.KindRole, ID: string(role.ID), Name: role.Name},
			RequestID: by.RequestID, Source: by.Address,
		})
	})
	return role, err
}

// MinPassword is the shortest password of a person, in characters.
const MinPassword = 8

// CreateUser makes an enabled user with one role.
func (p *Provisioner) CreateUser(ctx context.Context, by Caller, org OrgID, name, roleName string, password secret.Text) (User, error) {
	if err := checkName("user", name); err != nil { // first: folding would mend what is not UTF-8
		return User{}, err
	}
	name = FoldName(name)
	if utf8.RuneCountInString(password.Reveal()) < MinPassword {
		return User{}, problem.New(problem.BadRequest, "A password has at least %d characters.", MinPassword)
	}
	hash, err := p.hasher.Hash(ctx, password)
	if err != nil {
		return User{}, err
	}
	u := User{ID: UserID(NewID()), Org: org, Name: name, Enabled: true, PasswordHash: hash, CreatedAt: p.clock()}
	err = p.store.InTx(ctx, func(tx Tx) error {
		role, err := tx.RoleByName(org, roleName)
		if err != nil {
			return err
		}
		u.Role = role.ID
		if err := tx.CreateUser(u); err != nil {
			return err
		}
		return tx.Record(journal.Entry{
			At: u.CreatedAt, Org: string(org), Actor: by.actorOrSystem(), Action: journal.UserCreated,
			Subject:   journal.Subject{Kind: journal.KindUser, ID: string(u.ID), Name: u.Name},
			RequestID: by.RequestID, Source: by.Address, Detail: map[string]string{"role": role.Name},
		})
	})
	return u, err
}

// actorOrSystem is for operations that the gateway itself does at first start.
func (c Caller) actorOrSystem() journal.Actor {
	if c.Principal.ID == "" {
		return journal.System
	}
	return c.Actor()
}

// maxName bounds names, in bytes.
const maxName = 128

// checkName allows what can stand in a login, a URL path and a header.
func checkName(what, name string) error {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) || strings.TrimSpace(name) != name ||
		strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || strings.ContainsRune(`/\?#%:"<>|*`, r) }) {
		return problem.New(problem.BadRequest, `The name of a %s has 1 to %d bytes and none of /\?#%%:"<>|*.`, what, maxName)
	}
	return nil
}
