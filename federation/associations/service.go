package associations

import (
	"context"
	"crypto/ecdsa"
	"slices"
	"time"

	"causeway/federation"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/tenants"
)

// Config wires a Service.
type Config struct {
	Office federation.Office
	Store  federation.Store // where keys of organizations are made on demand
	Keys   *secret.Keys
	Site   tenants.SiteID // this one
	// Root is this site's root public key, which peers pin.
	Root func() *ecdsa.PublicKey
	// PublicURL is https://host[:port], from configuration only.
	PublicURL string
	// Authority is the certificate that a peer needs to trust PublicURL, PEM; empty
	// where everybody does.
	Authority func() (string, error)
	// TenantsMay lets tenants associate their own organizations; otherwise the
	// provider does.
	TenantsMay bool
	// PerOrg is how many associations a tenant's organization may hold; 0 is
	// [DefaultPerOrg].
	PerOrg int
	// Changed is told of a site with which something was changed, once that is
	// committed. It must not block. Nil tells nobody.
	Changed func(tenants.SiteID)
	Now     func() time.Time
}

// Service manages associations. That the caller has the right which a route asks
// for has been checked; who the caller is, is judged again where the change is
// made (R4).
type Service struct{ c Config }

// DefaultPerOrg is far more than a tenant works with, and little enough that no
// tenant alone fills what sites read of each other.
const DefaultPerOrg = 1000

// New makes a Service.
func New(c Config) *Service {
	if c.Changed == nil {
		c.Changed = func(tenants.SiteID) {}
	}
	if c.PerOrg <= 0 {
		c.PerOrg = DefaultPerOrg
	}
	return &Service{c}
}

// clock is the current time in the precision that every database keeps.
func (s *Service) clock() time.Time { return s.c.Now().UTC().Truncate(time.Microsecond) }

// desk is where one change is made: a transaction in which the caller stands.
type desk struct {
	federation.OfficeTx
	s   *Service
	by  tenants.Caller
	now time.Time
}

// change runs f in a transaction in which the caller still stands, and tells
// contact of the sites that f names.
func (s *Service) change(ctx context.Context, by tenants.Caller, f func(desk) ([]tenants.SiteID, error)) error {
	now := s.clock()
	var changed []tenants.SiteID
	err := s.c.Office.InTx(ctx, func(tx federation.OfficeTx) (err error) {
		if err := tenants.Stands(tx, by.Principal, now); err != nil {
			return err
		}
		changed, err = f(desk{tx, s, by, now})
		return err
	})
	if err != nil {
		return err
	}
	for _, site := range changed {
		if site != s.c.Site {
			s.c.Changed(site)
		}
	}
	return nil
}

// lock holds organizations in one order. That one is gone is for whoever reads it
// to say.
func (d desk) lock(orgs ...tenants.OrgID) error {
	slices.Sort(orgs)
	for _, o := range slices.Compact(orgs) {
		if err := d.LockOrganization(o); err != nil && !problem.Has(err, problem.NotFound) {
			return err
		}
	}
	return nil
}

func hidden(err error) error {
	if problem.Has(err, problem.NotFound) {
		return problem.Hidden()
	}
	return err
}

// record writes what the caller did.
func (d desk) record(org tenants.OrgID, action journal.Action, subject journal.Subject, detail map[string]string) error {
	return d.recordAs(d.by.Actor(), org, action, subject, detail)
}

func (d desk) recordAs(actor journal.Actor, org tenants.OrgID, action journal.Action, subject journal.Subject, detail map[string]string) error {
	return d.Record(journal.Entry{
		At: d.now, Org: string(org), Actor: actor, Action: action, Subject: subject,
		RequestID: d.by.RequestID, Source: d.by.Address, Detail: detail,
	})
}

// task writes the receipt of what is done in this transaction.
func (d desk) task(org tenants.OrgID, name, operation string, owner tenants.TaskEntity) (tenants.Task, error) {
	t := tenants.DoneTask(d.by, org, d.now, name, operation, owner)
	return t, d.CreateTask(t)
}
