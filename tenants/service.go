package tenants

import (
	"time"

	"causeway/internal/journal"
	"causeway/internal/secret"
)

// Config wires a Service.
type Config struct {
	Store     Store
	Directory *Directory
	Hasher    *secret.PasswordHasher
	Logins    *Logins  // by default of its own
	Rotation  Rotation // of the site
	Limits    *Limits  // of organizations
	Now       func() time.Time
}

// Service manages organizations, users, roles and what is published to them,
// for the API and the portal. That the caller has the right which a route asks
// for has been checked; what is checked here is what depends on the thing
// itself: nobody gives away rights they lack, and nobody rules over somebody
// who may do more (R7).
type Service struct {
	store    Store
	orgs     *Directory
	hasher   *secret.PasswordHasher
	logins   *Logins
	rotation Rotation
	limits   *Limits
	now      func() time.Time
}

// New makes a Service.
func New(c Config) *Service {
	if c.Logins == nil {
		c.Logins = NewLogins(c.Store, c.Hasher, c.Now)
	}
	return &Service{store: c.Store, orgs: c.Directory, hasher: c.Hasher, logins: c.Logins, rotation: c.Rotation, limits: c.Limits, now: c.Now}
}

// clock is the current time in the precision that every database keeps.
func (s *Service) clock() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// DoneTask is the task of an operation that is complete when it is answered. The
// work and its task are written in one transaction.
func DoneTask(by Caller, org OrgID, at time.Time, name, operation string, owner TaskEntity) Task {
	return Task{
		ID: TaskID(NewID()), Org: org, Name: name, Operation: operation, Status: TaskSuccess, StartedAt: at, EndedAt: at,
		TaskDetail: TaskDetail{
			Owner: owner,
			User:  TaskEntity{Kind: by.Principal.Kind.Identity(), ID: by.Principal.ID, Name: by.Principal.Name},
		},
	}
}

// record writes what the caller did to something in org.
func record(tx Tx, by Caller, at time.Time, org OrgID, action journal.Action, subject journal.Subject, detail map[string]string) error {
	return tx.Record(by.entry(at, org, action, subject, detail))
}
