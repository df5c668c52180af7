package apps

import (
	"context"

	"causeway/internal/cache"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/services"
	"causeway/tenants"
)

// memory is what exchanges and tokens are judged by without the database. The
// journal's rows about an app, and about the organizations that it is in, drop it.
type memory struct {
	apps  *cache.Cache[ID, *App]
	asked *cache.Cache[ID, *App] // as apps, for ids not in there; nil where there is none
	in    *cache.Cache[place, *membership]
}

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
	if m.asked, err = cache.New[ID, *App](size); err != nil {
		return m, err
	}
	m.in, err = cache.NewTagged[place](size, func(m *membership) []string { return m.tags() })
	return m, err
}

const (
	appTag = "app "
	orgTag = "organization "
)

func appTags(a *App) []string { return []string{orgTag + string(a.Org)} }

// find is the app with this client id. Absence is remembered as presence is, but apart
// from it, so that guesses push out nothing but guesses.
func (s *Service) find(ctx context.Context, id ID) (*App, error) {
	if !ValidID(string(id)) { // and so takes no room
		return nil, problem.Hidden()
	}
	return s.memory.apps.Fill(ctx, id, func() (*App, error) {
		a, err := s.memory.asked.Fill(ctx, id, func() (*App, error) { return s.read(ctx, id) })
		if err == nil && a == nil {
			err = problem.Hidden()
		}
		return a, err
	})
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
