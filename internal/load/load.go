package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/tenants"
)

// Options say how large the site becomes.
type Options struct {
	Organizations int // in all
	Users         int // of each organization, the administrator included
	Accounts      int // of each organization
	// Password is the administrators'; empty gives them one that nobody knows.
	Password secret.Text
	// Force goes on at a site with organizations that no load has made.
	Force bool
}

// Bounds of one organization: it is written in one transaction, which the
// database ends after half a minute.
const (
	MaxOrganizations = 100_000
	MaxUsers         = 10_000
	MaxAccounts      = 10_000
)

// ErrForeign refuses a site that serves somebody.
var ErrForeign = errors.New("the site has organizations that are not from a load")

// ErrNotSetUp refuses a database without the provider's organization.
var ErrNotSetUp = errors.New("the site is not set up")

func (o Options) check() error {
	for _, b := range []struct {
		what       string
		n, atLeast int
		atMost     int
	}{
		{"organizations", o.Organizations, 1, MaxOrganizations},
		{"users", o.Users, 1, MaxUsers},
		{"accounts", o.Accounts, 0, MaxAccounts},
	} {
		if b.n < b.atLeast || b.n > b.atMost {
			return problem.New(problem.BadRequest, "The number of %s is between %d and %d.", b.what, b.atLeast, b.atMost)
		}
	}
	if o.Password == "" {
		return nil
	}
	return tenants.CheckPassword(AdministratorName, o.Password)
}

// Progress is how far a load has come.
type Progress struct {
	Organizations, Users, Accounts int // made by this run
	Already                        int // organizations made by earlier runs
	Of                             int // organizations in all
	Elapsed                        time.Duration
}

// Left is how long the rest takes at the pace so far, 0 while that is unknown.
func (p Progress) Left() time.Duration {
	if p.Organizations == 0 {
		return 0
	}
	return p.Elapsed / time.Duration(p.Organizations) * time.Duration(p.Of-p.Already-p.Organizations)
}

// Run makes the organizations that are missing. What it makes is there whole or
// not at all, organization by organization, so a run that was interrupted is
// finished by running it again. report is told after each piece; it may be nil.
func Run(ctx context.Context, db *store.DB, o Options, report func(Progress)) error {
	if err := o.check(); err != nil {
		return err
	}
	missing, err := missing(ctx, db, o)
	if err != nil {
		return err
	}
	m, err := newMaker(ctx, db, o)
	if err != nil {
		return err
	}
	l := &loading{db: db, maker: m, missing: missing, report: report, started: time.Now()}
	err = l.run(ctx)
	if err == nil && len(missing) > 0 {
		err = db.Settle(ctx)
	}
	if err != nil && ctx.Err() != nil { // a statement cut short may call it the database's fault
		return ctx.Err()
	}
	return err
}

// missing are the numbers of the organizations that are not there yet.
func missing(ctx context.Context, db *store.DB, o Options) (numbers []int, err error) {
	var all []tenants.Organization
	if err := db.Tenants().View(ctx, func(r tenants.Reader) (err error) {
		if _, err = r.Organization(tenants.SystemOrgID); err == nil {
			all, err = r.Organizations()
		}
		return err
	}); err != nil {
		if problem.Has(err, problem.NotFound) {
			err = ErrNotSetUp
		}
		return nil, err
	}
	there, foreign := make(map[int]bool, len(all)), 0
	for _, org := range all {
		if n, ours := organizationNumber(org.Name); ours {
			there[n] = true
		} else if !org.System() {
			foreign++
		}
	}
	if foreign > 0 && !o.Force {
		return nil, fmt.Errorf("%w: %d of them", ErrForeign, foreign)
	}
	for n := 1; n <= o.Organizations; n++ {
		if !there[n] {
			numbers = append(numbers, n)
		}
	}
	return numbers, nil
}

func newMaker(ctx context.Context, db *store.DB, o Options) (*maker, error) {
	hasher, err := secret.NewPasswordHasher(secret.PasswordLimits{Concurrent: 1, Waiting: 1})
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	m := &maker{Options: o, now: now, requestUntil: now.Add(lifetime)}
	if m.nobodysHash, err = hasher.Hash(ctx, secret.Text(secret.Base62(40))); err != nil {
		return nil, err
	}
	m.adminHash = m.nobodysHash
	if o.Password != "" {
		if m.adminHash, err = hasher.Hash(ctx, o.Password); err != nil {
			return nil, err
		}
	}
	m.adminRole, err = publishedAdministrator(ctx, db)
	return m, err
}

// lifetime of the sessions and requests that are made.
const lifetime = 30 * 24 * time.Hour

// publishedAdministrator is the global role that every organization can give its
// administrators, if the provider has kept it.
func publishedAdministrator(ctx context.Context, db *store.DB) (id tenants.RoleID, err error) {
	err = db.Tenants().View(ctx, func(r tenants.Reader) error {
		found, _, err := r.Publications(tenants.GlobalRole, tenants.Query{
			Where: "name = ?", Args: []any{tenants.OrganizationAdministrator}, Page: 1, PageSize: 1,
		})
		if err == nil && len(found) == 1 && found[0].PublishAll {
			id = tenants.RoleID(found[0].ID)
		}
		return err
	})
	return id, err
}

// loading is one run.
type loading struct {
	db      *store.DB
	maker   *maker
	missing []int
	report  func(Progress)
	started time.Time
	mu      sync.Mutex
	next    int // of missing
	made    Progress
	failed  error
}

// writers is how many transactions run at once: while one waits for the disk the
// other one's rows are put together.
const writers = 2

// rowsPerPiece is about how many rows one transaction writes.
const rowsPerPiece = 10_000

func (l *loading) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l.made.Already, l.made.Of = l.maker.Organizations-len(l.missing), l.maker.Organizations
	var wait sync.WaitGroup
	for range writers {
		wait.Go(func() {
			for piece := l.take(); len(piece) > 0; piece = l.take() {
				if err := l.write(ctx, piece); err != nil {
					l.fail(err)
					cancel()
					return
				}
			}
		})
	}
	wait.Wait()
	return l.failed
}

// take is the next piece of work, empty when there is none.
func (l *loading) take() []int {
	l.mu.Lock()
	defer l.mu.Unlock()
	end := min(len(l.missing), l.next+max(1, rowsPerPiece/(l.maker.Users+3*l.maker.Accounts+20)))
	piece := l.missing[l.next:end]
	l.next = end
	return piece
}

func (l *loading) write(ctx context.Context, piece []int) error {
	var b store.Bulk
	for _, n := range piece {
		l.maker.organization(&b, n)
	}
	if err := l.db.Load(ctx, b); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.made.Organizations += len(b.Organizations)
	l.made.Users += len(b.Users)
	l.made.Accounts += len(b.Accounts)
	l.made.Elapsed = time.Since(l.started)
	if l.report != nil {
		l.report(l.made)
	}
	return nil
}

// fail keeps the first error: what follows is that others were stopped.
func (l *loading) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed == nil {
		l.failed = err
	}
}
