package store

import (
	"gorm.io/gorm/clause"

	"causeway/oauth"
	"causeway/tenants"
)

// What a transaction holds is asked for in one order: the organization, the user,
// the token, the family; and for apps: the organization, the app, its membership, its
// grants, its accounts. Users and tokens are held by one transaction at a time:
// PostgreSQL lets whoever shares a row in past whoever waits to change it, and a
// thief who refreshes a stolen token in many loops would put off its revocation.

// share keeps others from changing a row, and not from holding it as well.
var share = clause.Locking{Strength: clause.LockingStrengthShare}

// PostgreSQL queues for these locks in the order of asking, whether shared or
// not. They stand in front of the organization's row, which logins and refreshes
// must be able to share.
const (
	lockFairly  = `SELECT pg_advisory_xact_lock(hashtextextended(?, 0))`
	shareFairly = `SELECT o.id FROM (SELECT pg_advisory_xact_lock_shared(hashtextextended(?, 0))) fair, organizations o
		WHERE o.id = ? AND o.enabled FOR SHARE OF o`
)

// LockOrganization is not kept waiting by those who ask later.
func (t *tx) LockOrganization(id tenants.OrgID) error {
	if t.onPostgres() {
		if _, err := t.exec(lockFairly, string(id)); err != nil {
			return err
		}
	}
	return take(forUpdate(t.db).Where("id = ?", string(id)), &organizationRow{})
}

func (t *tx) HoldOrganization(org tenants.OrgID) error {
	if t.onPostgres() {
		return take(t.db.Raw(shareFairly, string(org), string(org)), &organizationRow{})
	}
	return take(t.db.Where("id = ? AND enabled = ?", string(org), true), &organizationRow{})
}

// holdUser holds a user and the organization before, as whoever deletes it does.
func (t *tx) holdUser(org tenants.OrgID, user tenants.UserID) error {
	if err := t.HoldOrganization(org); err != nil {
		return err
	}
	return take(forUpdate(t.of(org)).Where("id = ? AND enabled = ?", string(user), true), &userRow{})
}

// holdOwner holds what a session stands on.
func (t *tx) holdOwner(s oauth.Session) error {
	switch {
	case s.Kind.OfUser():
		if err := t.holdUser(s.Org, tenants.UserID(s.Principal)); err != nil || s.Family == "" {
			return err
		}
		return take(forUpdate(t.of(s.Org)).Where("id = ? AND user_id = ?", s.Family, s.Principal), &apiTokenRow{})
	case s.Family != "":
		if err := t.HoldOrganization(s.Org); err != nil {
			return err
		}
		return take(forUpdate(t.of(s.Org)).Where("id = ? AND account_id = ? AND revoked_at = 0", s.Family, s.Principal), &familyRow{})
	}
	return t.HoldOrganization(s.Org)
}
