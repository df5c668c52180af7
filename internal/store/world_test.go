package store_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"time"

	"causeway/federation"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/oauth"
	"causeway/tenants"
)

// now is the time of everything in these tests, in the precision of the store.
var now = time.Date(2026, 11, 21, 18, 0, 0, 123456000, time.UTC)

// tenant is an organization with one of everything.
type tenant struct {
	db      *store.DB
	org     tenants.OrgID
	role    tenants.RoleID
	user    tenants.UserID
	account oauth.ClientID
	device  oauth.DeviceRequest // pending
	family  oauth.Family        // live, generation 1
	used    oauth.Digest        // generation 0
	session oauth.Session       // of the family
	remote  tenants.LocationID
	quota   tenants.QuotaPolicyID
	task    tenants.TaskID
	token   oauth.APIToken // the user's, not fetched
}

// source is where somebody typed a wrong password.
const source = "192.0.2.77"

func newID[T ~string]() T { return T(tenants.NewID()) }

func digest(of ...any) oauth.Digest {
	d := sha256.Sum256([]byte(fmt.Sprint(of...)))
	return d[:]
}

// newOrg makes an organization with a role and nothing else.
func newOrg(t testing.TB, db *store.DB, name string) *tenant {
	t.Helper()
	w := &tenant{db: db, org: newID[tenants.OrgID](), role: newID[tenants.RoleID]()}
	inTenants(t, db, func(tx tenants.Tx) error {
		if err := tx.CreateOrganization(tenants.Organization{ID: w.org, Name: name, DisplayName: name + " Inc.", Enabled: true, CreatedAt: now}); err != nil {
			return err
		}
		return tx.CreateRole(tenants.Role{ID: w.role, Org: w.org, Name: "Deployer", Rights: []tenants.Right{"Task: View", "Organization: View"}})
	})
	return w
}

// newAccount adds a service account and returns the tenant as it looks with it.
func (w *tenant) newAccount(t testing.TB, name string) *tenant {
	t.Helper()
	with := *w
	with.account = newID[oauth.ClientID]()
	inOAuth(t, w.db, func(tx oauth.Tx) error {
		return tx.CreateServiceAccount(oauth.ServiceAccount{
			ID: with.account, Org: w.org, Name: name, SoftwareID: "AbC-" + name, SoftwareVersion: "1", URI: "https://" + name + ".example",
			Role: w.role, CreatedAt: now,
		})
	})
	return &with
}

// newDevice is a request that is not stored yet.
func (w *tenant) newDevice(state oauth.DeviceState) oauth.DeviceRequest {
	id := newID[string]()
	return oauth.DeviceRequest{
		ID: id, Org: w.org, Account: w.account, DeviceCode: digest("device", id), UserCode: digest("user", id), State: state,
		CreatedAt: now, ExpiresAt: now.Add(time.Hour), Interval: 60 * time.Second,
		Source: "192.0.2.1", Address: "192.0.2.1", UserAgent: "curl",
	}
}

// newFamily is a family that is not stored yet.
func (w *tenant) newFamily() oauth.Family {
	id := newID[string]()
	return oauth.Family{ID: id, Org: w.org, Account: w.account, Current: digest(id, 0), CreatedAt: now}
}

// newSession is a session of the family that is not stored yet.
func (w *tenant) newSession() oauth.Session {
	return oauth.Session{
		ID: newID[tenants.SessionID](), Org: w.org, Kind: tenants.KindServiceAccount, Principal: string(w.account), Name: "app",
		SoftwareID: "soft", Role: w.role, Family: w.family.ID, CreatedAt: now, ExpiresAt: now.Add(30 * 24 * time.Hour), LastUsed: now,
	}
}

// rotation is the step of the family from generation g to the next.
func (w *tenant) rotation(g int) oauth.Rotation {
	return oauth.Rotation{
		Org: w.org, From: digest(w.family.ID, g), To: digest(w.family.ID, g+1),
		At: now, Source: "192.0.2.1", Session: newID[tenants.SessionID](), Lifetime: 30 * 24 * time.Hour,
	}
}

// newAPIToken is a token of the user that is not stored yet.
func (w *tenant) newAPIToken(name string) oauth.APIToken {
	return oauth.APIToken{ID: newID[oauth.ClientID](), Org: w.org, Owner: w.user, OwnerName: "jane", Name: name, CreatedAt: now}
}

// newTokenSession is a session of the token that is not stored yet.
func (w *tenant) newTokenSession() oauth.Session {
	s := w.newSession()
	s.Kind, s.Principal, s.Name, s.SoftwareID, s.Family = tenants.KindAPIToken, string(w.user), "jane", "", string(w.token.ID)
	return s
}

// newTenant makes an organization with one of everything.
func newTenant(t testing.TB, db *store.DB, name string) *tenant {
	t.Helper()
	w := newOrg(t, db, name).newAccount(t, "app")
	w.user = newID[tenants.UserID]()
	w.remote = tenants.LocationID{Org: newID[tenants.OrgID](), Site: newID[tenants.SiteID]()}
	w.quota, w.task = newID[tenants.QuotaPolicyID](), newID[tenants.TaskID]()
	inTenants(t, db, func(tx tenants.Tx) error {
		if err := errors.Join(
			tx.CreateQuotaPolicy(tenants.QuotaPolicy{ID: w.quota, Org: w.org, Name: "small"}),
			tx.CreateTask(tenants.Task{ID: w.task, Org: w.org, Name: "orgUpdate", Status: tenants.TaskSuccess, StartedAt: now, EndedAt: now}),
		); err != nil {
			return err
		}
		return tx.CreateUser(tenants.User{ProviderType: tenants.ProviderIntegrated, ID: w.user, Org: w.org, Name: "jane", FullName: "Jane", Role: w.role, Enabled: true, PasswordHash: "$argon2id$…", CreatedAt: now})
	})
	w.device, w.family, w.token = w.newDevice(oauth.DevicePending), w.newFamily(), w.newAPIToken("ci")
	inOAuth(t, db, func(tx oauth.Tx) error {
		if err := tx.CreateAPIToken(w.token, 100); err != nil {
			return err
		}
		if err := tx.CreateDevice(w.device); err != nil {
			return err
		}
		return tx.CreateFamily(w.family)
	})
	r := w.rotation(0)
	session, ok, err := db.OAuth().Rotate(t.Context(), r)
	if !ok || err != nil {
		t.Fatalf("Rotate: %v, %v", ok, err)
	}
	w.used, w.session, w.family.Generation, w.family.Current = r.From, session, 1, r.To
	inTenants(t, db, func(tx tenants.Tx) error {
		if err := tx.PutLoginFailures(tenants.LoginFailures{Org: w.org, User: w.user, Source: source, Failures: 1, LastAt: now}); err != nil {
			return err
		}
		return tx.Record(w.entry("role.updated"))
	})
	inFederation(t, db, func(tx federation.Tx) error {
		if err := tx.CreateOrgKey(w.org, []byte("sealed")); err != nil {
			return err
		}
		return tx.PutOrgAssociation(federation.OrgAssociation{
			Local: w.org, Remote: w.remote.Org, RemoteName: "there", Site: w.remote.Site, PublicKey: "PEM", Status: federation.Asymmetric, CreatedAt: now,
		})
	})
	return w
}

func inTenants(t testing.TB, db *store.DB, f func(tenants.Tx) error) {
	t.Helper()
	ok(t, db.Tenants().InTx(t.Context(), f))
}

func inOAuth(t testing.TB, db *store.DB, f func(oauth.Tx) error) {
	t.Helper()
	ok(t, db.OAuth().InTx(t.Context(), f))
}

func inFederation(t testing.TB, db *store.DB, f func(federation.Tx) error) {
	t.Helper()
	ok(t, db.Federation().InTx(t.Context(), f))
}

// read is one reading call in a View.
func read[T any](t testing.TB, db *store.DB, f func(oauth.Reader) (T, error)) T {
	t.Helper()
	var v T
	ok(t, db.OAuth().View(t.Context(), func(r oauth.Reader) (err error) {
		v, err = f(r)
		return err
	}))
	return v
}

func (w *tenant) status(t testing.TB, at time.Time) oauth.Status {
	t.Helper()
	return read(t, w.db, func(r oauth.Reader) (oauth.ServiceAccount, error) { return r.ServiceAccount(w.org, w.account, at) }).Status
}

func (w *tenant) presented(t testing.TB, d oauth.Digest) oauth.Presented {
	t.Helper()
	return read(t, w.db, func(r oauth.Reader) (oauth.Presented, error) { return r.RefreshToken(d) })
}

// liveSessions counts the account's sessions that have not ended.
func (w *tenant) liveSessions(t testing.TB) int {
	t.Helper()
	return count(t, w.db, "sessions", "principal = '"+string(w.account)+"' AND ended_at = 0")
}

func count(t testing.TB, db *store.DB, table, where string) int {
	t.Helper()
	var n int
	ok(t, db.SQL().QueryRowContext(context.Background(), "SELECT count(*) FROM "+table+" WHERE "+where).Scan(&n))
	return n
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantProblem(t testing.TB, err error, code problem.Code) {
	t.Helper()
	if !problem.Has(err, code) {
		t.Errorf("got %v, want the problem %s", err, code)
	}
}

func (w *tenant) entry(action journal.Action) journal.Entry {
	return journal.Entry{
		At: now, Org: string(w.org), Actor: journal.System, Action: action,
		Subject: journal.Subject{Kind: journal.KindOrganization, ID: string(w.org)},
	}
}

func ignoreNotFound(err error) error {
	if problem.Has(err, problem.NotFound) {
		return nil
	}
	return err
}
