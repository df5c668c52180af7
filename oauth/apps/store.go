package apps

import (
	"context"
	"time"

	"causeway/oauth"
	"causeway/services"
	"causeway/tenants"
)

// Store keeps what this package owns; see tenants.Store for the meaning of View and
// InTx.
type Store interface {
	View(ctx context.Context, f func(Reader) error) error
	InTx(ctx context.Context, f func(Tx) error) error
	// NoteIssued notes access tokens that were given out. Calls at the same time share
	// a commit, and it returns when they are durable.
	NoteIssued(ctx context.Context, e oauth.Event) error
}

// Reader reads. Absence is problem.NotFound.
type Reader interface {
	services.Reader

	// AppByID finds an app by its client id alone, which is all that a client gives.
	AppByID(id ID) (App, error)
	App(owner tenants.OrgID, id ID) (App, error)
	// Apps lists those that an organization owns, by id, display_name, description,
	// created_at and updated_at (microseconds).
	Apps(owner tenants.OrgID, q tenants.Query) ([]App, int, error)
	// Members lists the apps that were added to an organization, with what they hold,
	// by id, display_name and added_at. The secret of an app is not among it.
	Members(org tenants.OrgID, q tenants.Query) ([]Member, int, error)
	// MemberOf lists the organizations that added an app of this site.
	MemberOf(id ID) ([]tenants.OrgID, error)
	// OrgRolesElsewhere are the organization roles that an app of this site is granted
	// in any organization but its owner and that are not over, each once, whatever its
	// owner allows.
	OrgRolesElsewhere(owner tenants.OrgID, id ID, now time.Time) ([]services.OrgRole, error)
}

// Tx reads and writes in one transaction.
type Tx interface {
	Reader
	services.Tx

	// CreateApp takes the id for ever: one that was ever taken is problem.Conflict.
	CreateApp(App) error
	// LockApp holds an app's row: changes to it come one after the other.
	LockApp(owner tenants.OrgID, id ID) error
	// UpdateApp replaces everything but owner, id and creation.
	UpdateApp(App) error
	// DeleteApp takes memberships and grants in every organization along.
	DeleteApp(owner tenants.OrgID, id ID) error
	// AddMember is problem.Conflict for an app that was added before, and
	// problem.NotFound for one of this site that is not there. epoch is larger
	// than that of any membership of the app there before.
	AddMember(org tenants.OrgID, h services.Holder, epoch int64, by string, at time.Time) error
	// RemoveMember takes its grants along.
	RemoveMember(org tenants.OrgID, h services.Holder) error
	Note(oauth.Event) error
}
