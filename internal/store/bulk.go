package store

import (
	"context"
	"errors"

	"causeway/internal/journal"
	"causeway/oauth"
	"causeway/tenants"
)

// Bulk is a heap of organizations with what is in them, to be written as it is:
// nobody asks whether a role exists or may be given. References within it must
// hold.
type Bulk struct {
	Organizations []tenants.Organization
	Roles         []tenants.Role
	Users         []tenants.User
	Accounts      []oauth.ServiceAccount
	Devices       []oauth.DeviceRequest
	Families      []oauth.Family
	Sessions      []oauth.Session
	Entries       []journal.Entry
}

// Load writes b in one transaction, many rows to a statement. What it is for is
// filling a site to see how large it gets; everything else goes through InTx.
func (d *DB) Load(ctx context.Context, b Bulk) error {
	organizations, err := convertAll(b.Organizations, newOrganizationRow)
	if err != nil {
		return err
	}
	users, err := convertAll(b.Users, newUserRow)
	if err != nil {
		return err
	}
	return d.inTx(ctx, func(t *tx) error {
		t.entries = b.Entries
		for _, insert := range []func() error{
			func() error { return createAll(t, organizations) },
			func() error { return createAll(t, convert(b.Roles, newRoleRow)) },
			func() error { return createAll(t, rightsOf(b.Roles)) },
			func() error { return createAll(t, users) },
			func() error { return createAll(t, convert(b.Accounts, newAccountRow)) },
			func() error { return createAll(t, convert(b.Devices, newDeviceRow)) },
			func() error { return createAll(t, convert(b.Families, newFamilyRow)) },
			func() error { return createAll(t, convert(b.Sessions, newSessionRow)) },
		} {
			if err := insert(); err != nil {
				return err
			}
		}
		return nil
	})
}

func rightsOf(roles []tenants.Role) (rows []roleRightRow) {
	for _, r := range roles {
		rows = append(rows, newRoleRights(r.Org, r.ID, r.Rights)...)
	}
	return rows
}

// settling is what a database does by itself some time after many rows came.
var settling = map[kind]string{sqlite: "ANALYZE", postgres: "VACUUM (ANALYZE)"}

// Settle brings the database to rest after Load: it counts its rows, so that it
// plans for as many as there are, and marks what everybody may see, which readers
// would have to find out otherwise. That may take minutes.
func (d *DB) Settle(ctx context.Context) error {
	db, err := d.migrationPool()
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, settling[d.kind])
	return errors.Join(fault(err), db.Close())
}
