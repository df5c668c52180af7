package apps

import (
	"context"
	"time"

	"causeway/internal/cache"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/services"
	"causeway/tenants"
)

// memory is what exchanges and tokens are judged by without the database. The
// journal's rows about an app, and about the organizations that it is in, drop it.
type memory struct {
	apps  *cache.Cache[ID, known]
	asked *cache.Cache[ID, known] // as apps, for ids not in there
	in    *cache.Cache[place, *membership]
}

// known is what an id stands for: nil is nothing. again is when that was last asked
// because memory was about to refuse somebody.
type known struct {
	app   *App
	again time.Time
}

// leastAgain lies between two such questions about one id: wrong secrets must not reach
// the database as often as they are sent.
const leastAgain = time.Second

// place is one organization that an app was added to.
type place struct {
	org tenants.OrgID
	app ID
}

// membership is an app in one organization, with what it holds there.
type membership struct {
	app   *App
	epoch int64
	held  []heldRole
}

// remembered is the default bound: an app with a ceiling and a dozen roles takes some
// kilobytes.
const remembered = 20_000

func newMemory(size int) (m memory, err error) {
	if size <= 0 {
		size = remembered
	}
	if m.apps, err = cache.NewTagged[ID](size, appTags); err != nil {
		return m, err
	}
	if m.asked, err = cache.New[ID, known](size); err != nil {
		return m, err
	}
	m.in, err = cache.NewTagged[place](size, func(m *membership) []string { return m.tags() })
	return m, err
}

const (
	appTag = "app "
	orgTag = "organization "
)

func appTags(k known) []string { return []string{orgTag + string(k.app.Org)} }

// find is the app with this client id, or nil; asked reports that the database said so
// and not memory. Absence is remembered as presence is, but apart from it, so that
// guesses push out nothing but guesses.
func (s *Service) find(ctx context.Context, id ID) (a *App, asked bool, err error) {
	if !ValidID(string(id)) { // and so takes no room
		return nil, true, nil
	}
	k, err := s.memory.apps.Fill(ctx, id, func() (known, error) {
		return there(s.memory.asked.Fill(ctx, id, func() (k known, err error) {
			asked = true
			k.app, err = s.read(ctx, id)
			return k, err
		}))
	})
	if problem.Has(err, problem.NotFound) {
		err = nil
	}
	return k.app, asked, err
}

// findAgain is find for who is about to be refused by what is remembered: the app, or
// its secret, may be newer. Of one id it asks once in a while.
func (s *Service) findAgain(ctx context.Context, id ID) (*App, error) {
	k, err := s.memory.apps.Refill(ctx, id, func() (known, error) {
		return there(s.memory.asked.Refill(ctx, id, func() (known, error) {
			now := s.clock()
			if k, ok := s.memory.asked.Get(id); ok && now.Sub(k.again).Abs() < leastAgain {
				return k, nil
			}
			a, err := s.read(ctx, id)
			return known{a, now}, err
		}))
	})
	if problem.Has(err, problem.NotFound) {
		s.memory.apps.ForgetKey(id)
		err = nil
	}
	return k.app, err
}

// there has nothing be remembered as an app that is none.
func there(k known, err error) (known, error) {
	if err == nil && k.app == nil {
		err = problem.Hidden()
	}
	return k, err
}

// read is the app with this client id now, or nil.
func (s *Service) read(ctx context.Context, id ID) (found *App, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		a, err := r.AppByID(id)
		found = a.kept()
		return err
	})
	if problem.Has(err, problem.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return found, nil
}

// member is an app in an organization, problem.NotFound if it was not added there.
func (s *Service) member(ctx context.Context, org tenants.OrgID, id ID) (*membership, error) {
	at := place{org, id}
	return s.memory.in.Fill(ctx, at, func() (*membership, error) { return s.readMember(ctx, at) })
}

func (s *Service) readMember(ctx context.Context, at place) (m *membership, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		m, err = readMember(r, at.org, at.app)
		return err
	})
	return m, err
}

func readMember(r Reader, org tenants.OrgID, id ID) (*membership, error) {
	a, err := r.AppByID(id)
	if err != nil {
		return nil, err
	}
	held, err := r.Held(org, holder(id))
	if err != nil {
		return nil, err
	}
	m := &membership{app: a.kept(), epoch: held.Epoch}
	m.held, err = heldRoles(r, held)
	return m, err
}

// kept is a without what no token is judged by, and which its owner can make large.
func (a App) kept() *App {
	a.Description, a.Ceiling, a.Echo = "", services.Ceiling{}, nil
	return &a
}

func (m *membership) tags() []string {
	return []string{appTag + string(m.app.ID), orgTag + string(m.app.Org)}
}

// Apply forgets what the journal says has changed. What is read of others is
// forgotten before what is filled from it.
func (s *Service) Apply(row journal.Row) {
	m := s.memory
	switch row.Subject.Kind {
	case journal.KindApp:
		m.asked.ForgetKey(ID(row.Subject.ID))
		m.apps.ForgetKey(ID(row.Subject.ID))
		m.in.ForgetTag(appTag + row.Subject.ID)
	case journal.KindOrganization: // with it go its apps, and what others have of them
		m.asked.Flush()
		m.apps.ForgetTag(orgTag + row.Subject.ID)
		m.in.ForgetTag(orgTag + row.Subject.ID)
		s.forgetIn(tenants.OrgID(row.Subject.ID))
	case journal.KindCustomRole, journal.KindServiceInstance:
		s.forgetIn(tenants.OrgID(row.Org))
	case journal.KindDefinition:
		m.in.Flush()
	}
}

func (s *Service) forgetIn(org tenants.OrgID) {
	s.memory.in.Forget(func(p place, _ *membership) bool { return p.org == org })
}

// Flush forgets everything.
func (s *Service) Flush() {
	s.memory.asked.Flush()
	s.memory.apps.Flush()
	s.memory.in.Flush()
}
