package oauth_test

import (
	"bytes"
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// clock is a time that moves when told.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// Where callers sit.
const (
	office = "203.0.113.1" // the administrator
	here   = "192.0.2.1"   // the app
	there  = "198.51.100.9"
)

const (
	site   = tenants.SiteID("11111111-1111-4111-8111-111111111111")
	issuer = "https://east.example"

	deployer = "Deployer"
	viewer   = "Viewer"

	viewCatalogs = tenants.Right("Catalog: View Private and Shared Catalogs")
	addToCatalog = tenants.Right("Catalog: Add vApp from My Cloud")
)

// world is an organization with roles and an administrator, at a time of its own.
type world struct {
	t       testing.TB
	db      *store.DB
	clock   *clock
	policy  oauth.Policy
	orgs    *tenants.Directory
	service *oauth.Service
	org     tenants.OrgID
	roles   map[string]tenants.RoleID
	user    tenants.User
	admin   tenants.Caller
}

// newWorld makes an organization of its own in db, under the policy that the
// gateway has by default.
func newWorld(t testing.TB, db *store.DB, tweaks ...func(*oauth.Policy)) *world {
	t.Helper()
	policy := oauth.Policy{
		PublicURL:      issuer,
		DeviceLifetime: time.Hour, DeviceInterval: time.Minute, DevicesPerOwner: 8, DevicesPerPeer: 2,
		Rotation:    tenants.Rotation{RetryWindow: 24 * time.Hour, GraceWindow: time.Minute, MaxRetries: 10},
		IdleTimeout: 30 * time.Minute, UserLifetime: 24 * time.Hour, AccountLifetime: 30 * 24 * time.Hour, APITokensPerUser: 100,
	}
	for _, tweak := range tweaks {
		tweak(&policy)
	}
	return buildWorld(t, db, newClock(), policy, db.OAuth())
}

// neighbour is another organization of the same site.
func (w *world) neighbour() *world {
	w.t.Helper()
	return buildWorld(w.t, w.db, w.clock, w.policy, w.db.OAuth())
}

func buildWorld(t testing.TB, db *store.DB, c *clock, policy oauth.Policy, s oauth.Store) *world {
	t.Helper()
	w := &world{t: t, db: db, clock: c, policy: policy, org: tenants.OrgID(tenants.NewID()), roles: map[string]tenants.RoleID{}}
	var err error
	w.orgs, err = tenants.NewDirectory(db.Tenants(), 100)
	w.must(err)
	w.service = w.newService(s)
	w.inTenants(func(tx tenants.Tx) error {
		if err := publishEverything(tx); err != nil {
			return err
		}
		o := tenants.Organization{ID: w.org, Name: "Org " + string(w.org), Enabled: true, CreatedAt: c.now()}
		if err := tx.CreateOrganization(o); err != nil {
			return err
		}
		for name, rights := range map[string][]tenants.Right{
			tenants.OrganizationAdministrator: everyTenantRight(),
			deployer:                          {viewCatalogs, addToCatalog, tenants.RightAccountsManage},
			viewer:                            {viewCatalogs},
		} {
			w.roles[name] = tenants.RoleID(tenants.NewID())
			if err := tx.CreateRole(tenants.Role{ID: w.roles[name], Org: w.org, Name: name, Rights: rights}); err != nil {
				return err
			}
		}
		w.user = tenants.User{
			ID: tenants.UserID(tenants.NewID()), Org: w.org, Name: "jane", ProviderType: tenants.ProviderIntegrated, Role: w.roles[tenants.OrganizationAdministrator],
			Enabled: true, PasswordHash: "$argon2id$…", CreatedAt: c.now(),
		}
		return tx.CreateUser(w.user)
	})
	w.admin = w.person(tenants.OrganizationAdministrator)
	return w
}

// newService is one more cell of the site: other memory, the same database.
func (w *world) newService(s oauth.Store) *oauth.Service {
	w.t.Helper()
	return w.newServiceOf(s, w.orgs)
}

func (w *world) newServiceOf(s oauth.Store, orgs *tenants.Directory) *oauth.Service {
	w.t.Helper()
	return w.newServiceWith(func(c *oauth.Config) { c.Store, c.Directory = s, orgs })
}

func (w *world) newServiceWith(change func(*oauth.Config)) *oauth.Service {
	w.t.Helper()
	keys, err := secret.NewKeys(bytes.Repeat([]byte{7}, 32))
	w.must(err)
	config := oauth.Config{Store: w.db.OAuth(), Directory: w.orgs, Keys: keys, Site: site, Policy: w.policy, Now: w.clock.now}
	change(&config)
	service := oauth.New(config)
	w.must(service.Start(context.Background()))
	return service
}

func everyTenantRight() []tenants.Right { return tenants.TenantRights().List() }

// publishEverything is the rights bundle that a site has from its start.
func publishEverything(tx tenants.Tx) error {
	_, there, err := tx.Publications(tenants.RightsBundle, tenants.Query{Page: 1, PageSize: 1})
	if err != nil || there > 0 {
		return err
	}
	return tx.CreatePublication(tenants.Publication{
		Kind: tenants.RightsBundle, ID: tenants.PublicationID(tenants.NewID()), Name: "Everything", PublishAll: true, Rights: everyTenantRight(),
	})
}

// person is somebody of the organization with a role: jane, where it is hers.
func (w *world) person(role string) tenants.Caller {
	w.t.Helper()
	u := w.user
	if id := w.roles[role]; id != u.Role {
		u.ID, u.Name, u.Role = tenants.UserID(tenants.NewID()), tenants.NewID(), id
		w.inTenants(func(tx tenants.Tx) error { return tx.CreateUser(u) })
	}
	return tenants.Caller{
		Principal: tenants.Principal{Kind: tenants.KindUser, ID: string(u.ID), Name: u.Name, Org: w.org, Role: u.Role, RoleName: role},
		Source:    office, Address: office, UserAgent: "browser", RequestID: "request-of-the-administrator",
	}
}

// from is an anonymous caller.
func from(source string) tenants.Caller {
	return tenants.Caller{Source: source, Address: source, UserAgent: "app at " + source, RequestID: "request-from-" + source}
}

func (w *world) ctx() context.Context { return w.t.Context() }

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) inTenants(f func(tenants.Tx) error) {
	w.t.Helper()
	w.must(w.db.Tenants().InTx(context.Background(), f))
}

func (w *world) snapshot() *tenants.Snapshot {
	w.t.Helper()
	s, err := w.orgs.Organization(context.Background(), w.org)
	w.must(err)
	return s
}

// disabled is the organization as it looks when it is switched off.
func (w *world) disabled() *tenants.Snapshot {
	o := w.snapshot().Organization
	o.Enabled = false
	return tenants.Compile(o, nil, nil)
}

// setRights changes what a role allows, as an administrator would.
func (w *world) setRights(role string, rights ...tenants.Right) {
	w.t.Helper()
	w.inTenants(func(tx tenants.Tx) error {
		if err := tx.SetRoleRights(w.org, w.roles[role], rights); err != nil {
			return err
		}
		return tx.Record(w.entry(journal.RoleUpdated, journal.Subject{Kind: journal.KindRole, ID: string(w.roles[role])}))
	})
}

func (w *world) entry(action journal.Action, subject journal.Subject) journal.Entry {
	return journal.Entry{At: w.clock.now(), Org: string(w.org), Actor: w.admin.Actor(), Action: action, Subject: subject}
}

// registration is a correct one; each has a name of its own.
func registration() oauth.Registration {
	return oauth.Registration{
		ClientName: "app " + tenants.NewID(), SoftwareID: "BC2528FD-35C4-44E5-A55D-62E5C4BD9C99", SoftwareVersion: "1.0",
		ClientURI: "https://vendor.example/app", Scope: oauth.RoleScope(deployer),
	}
}

func (w *world) newAccount() oauth.ServiceAccount {
	w.t.Helper()
	a, err := w.service.Register(w.ctx(), w.admin, w.snapshot(), registration())
	w.must(err)
	return a
}

func (w *world) account(a oauth.ServiceAccount) oauth.ServiceAccount {
	w.t.Helper()
	got, err := w.service.Account(w.ctx(), w.org, a.ID)
	w.must(err)
	return got
}

func (w *world) wantStatus(a oauth.ServiceAccount, want oauth.Status) {
	w.t.Helper()
	if got := w.account(a).Status; got != want {
		w.t.Errorf("the account is %s, want %s", got, want)
	}
}

// activate takes an account through the whole procedure.
func (w *world) activate(a oauth.ServiceAccount) oauth.Tokens {
	w.t.Helper()
	d := w.startDevice(a)
	d.decide(granted)
	tokens, err := d.poll(0)
	w.must(err)
	return tokens
}

func (w *world) refresh(source string, token secret.Text) (oauth.Tokens, error) {
	return w.service.Refresh(w.ctx(), from(source), w.snapshot(), "", token)
}

func (w *world) mustRefresh(token secret.Text) oauth.Tokens {
	w.t.Helper()
	tokens, err := w.refresh(here, token)
	w.must(err)
	return tokens
}

// cell is an authenticator that has seen nothing yet.
func (w *world) cell() *oauth.Authenticator {
	w.t.Helper()
	a, err := w.service.NewAuthenticator(site, 100, func() bool { return true })
	w.must(err)
	return a
}

// wantAlive checks what a cell that has not seen the access token makes of it.
func (w *world) wantAlive(token secret.Text, want bool) {
	w.t.Helper()
	_, err := w.cell().Authenticate(w.ctx(), token.Reveal())
	switch {
	case want && err != nil:
		w.t.Errorf("the access token is refused: %v", err)
	case !want:
		wantProblem(w.t, err, problem.Unauthenticated)
	}
}

// recorded are the journal's rows about the organization with an action.
func (w *world) recorded(action journal.Action) (rows []journal.Row) {
	w.t.Helper()
	for _, row := range w.journal() {
		if row.Action == action {
			rows = append(rows, row)
		}
	}
	return rows
}

func (w *world) journal() (rows []journal.Row) {
	w.t.Helper()
	for seq := int64(0); ; {
		page, err := w.db.Journal().After(w.ctx(), seq, 500)
		w.must(err)
		if len(page) == 0 {
			return rows
		}
		for _, row := range page {
			if seq = row.Seq; row.Org == string(w.org) {
				rows = append(rows, row)
			}
		}
	}
}

// wantProblem checks the code of a problem; the empty code is success.
func wantProblem(t testing.TB, err error, code problem.Code) {
	t.Helper()
	if code == "" && err == nil || code != "" && problem.Has(err, code) {
		return
	}
	t.Errorf("got %v, want the problem %q", err, code)
}

// rounds is how often a race is run: few times, or many when somebody has time.
func rounds(few, many int) int {
	if os.Getenv("CAUSEWAY_SOAK") != "" {
		return many
	}
	return few
}

// together runs f n times at once.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	ready := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-ready
			f(i)
		})
	}
	close(ready)
	wg.Wait()
}

// weak is somebody who manages accounts and may do what [viewer] says, no more.
func (w *world) weak() tenants.Caller {
	w.t.Helper()
	const name = "Account Manager"
	if w.roles[name] == "" {
		w.roles[name] = tenants.RoleID(tenants.NewID())
		w.inTenants(func(tx tenants.Tx) error {
			return tx.CreateRole(tenants.Role{
				ID: w.roles[name], Org: w.org, Name: name, Rights: []tenants.Right{viewCatalogs, tenants.RightAccountsManage},
			})
		})
		w.orgs.Flush()
	}
	return w.person(name)
}

// newDB is for rules that no database can see: one suffices.
func newDB(t testing.TB) *store.DB {
	t.Helper()
	return storetest.New(t, storetest.SQLite)
}
