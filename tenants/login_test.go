package tenants_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

// here is where attempts come from.
var here = tenants.Origin{Source: "203.0.113.1"}

func TestLogins(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		org, other := w.organization(w.newOrg("Acme")), w.organization(w.newOrg("Other"))
		jane, err := w.CreateUser(w.ctx(), administrator(), org.ID, "jane", tenants.OrganizationAdministrator, password)
		w.must(err)
		w.inTx(func(tx tenants.Tx) error {
			off := jane
			off.ID, off.Name, off.Enabled = tenants.UserID(tenants.NewID()), "off", false
			return tx.CreateUser(off)
		})
		switchedOff := *org
		switchedOff.Enabled = false
		logins := w.logins()

		for _, typed := range []string{"jane", "Jane", "JANE"} {
			got, err := logins.Check(w.ctx(), org, typed, password, here)
			wantProblem(t, err, "")
			if got.ID != jane.ID || got.Role != jane.Role {
				t.Errorf("%s logged in as %+v", typed, got)
			}
		}
		var first *problem.Problem
		for _, tt := range []struct {
			name     string
			org      *tenants.Snapshot
			user     string
			password secret.Text
		}{
			{"R6 unknown organization", nil, "jane", password},
			{"R6 unknown user", org, "nobody", password},
			{"wrong password", org, "jane", password + "r"},
			{"no password", org, "jane", ""},
			{"disabled user", org, "off", password},
			{"disabled organization", &switchedOff, "jane", password},
			{"R6 another organization's user", other, "jane", password},
			{"no name", org, "", password},
		} {
			t.Run(tt.name, func(t *testing.T) {
				got, err := logins.Check(t.Context(), tt.org, tt.user, tt.password, here)
				wantProblem(t, err, problem.Unauthenticated)
				if got != (tenants.User{}) {
					t.Errorf("the refusal comes with %+v", got)
				}
				p := problem.As(err)
				p.Facts = nil // nobody who logs in is told them
				if first == nil {
					first = p
				}
				if !reflect.DeepEqual(p, first) {
					t.Errorf("it can be told from the others: %v and %v", p, first)
				}
			})
		}
	})
}

// gone is a store that answers, and whose caller has given up by then.
type gone struct {
	tenants.Store
	user   tenants.User
	cancel context.CancelFunc
}

func (g gone) View(_ context.Context, f func(tenants.Reader) error) error {
	defer g.cancel()
	return f(goneReader{user: g.user})
}

type goneReader struct {
	tenants.Reader
	user tenants.User
}

func (r goneReader) UserByName(_ tenants.OrgID, name string, _ time.Time) (tenants.User, error) {
	if name != r.user.Name {
		return tenants.User{}, problem.New(problem.NotFound, "no such user")
	}
	return r.user, nil
}

// TestLogins_R6_EveryRefusalCostsOneHash: the time of an answer must not tell
// who exists. The time itself is not measured: instead the caller gives up just
// before the hash, and only who gets there notices.
func TestLogins_R6_EveryRefusalCostsOneHash(t *testing.T) {
	t.Parallel()
	hasher, err := secret.NewPasswordHasher(secret.PasswordLimits{Concurrent: 1})
	if err != nil {
		t.Fatal(err)
	}
	hash, err := hasher.Hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	org := tenants.Compile(tenant(), nil, nil)
	off := *org
	off.Enabled = false
	for _, tt := range []struct {
		name string
		org  *tenants.Snapshot
		user string
		on   bool
	}{
		{"unknown organization", nil, "jane", true},
		{"unknown user", org, "nobody", true},
		{"known user", org, "jane", true},
		{"disabled user", org, "jane", false},
		{"disabled organization", &off, "jane", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			if tt.org == nil { // nothing is read then
				cancel()
			}
			logins := tenants.NewLogins(gone{user: tenants.User{Name: "jane", Enabled: tt.on, ProviderType: tenants.ProviderIntegrated, PasswordHash: hash}, cancel: cancel}, hasher, time.Now)
			_, err := logins.Check(ctx, tt.org, tt.user, password, here)
			wantProblem(t, err, problem.Unavailable)
		})
	}
}

func TestLoginsCounterpart(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		org, other := w.newOrg("Acme"), w.newOrg("Other")
		jane, err := w.CreateUser(w.ctx(), administrator(), org, "jane", tenants.OrganizationAdministrator, password)
		w.must(err)
		w.inTx(func(tx tenants.Tx) error {
			off := jane
			off.ID, off.Name, off.Enabled = tenants.UserID(tenants.NewID()), "off", false
			return tx.CreateUser(off)
		})
		logins := w.logins()
		got, err := logins.Counterpart(w.ctx(), org, "Jane", tenants.ProviderIntegrated)
		wantProblem(t, err, "")
		if want := (tenants.Principal{Kind: tenants.KindUser, ID: string(jane.ID), Name: "jane", Org: org, Role: jane.Role}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		for name, where := range map[string]tenants.OrgID{"nobody": org, "off": org, "jane": other} {
			got, err := logins.Counterpart(w.ctx(), where, name, tenants.ProviderIntegrated)
			wantProblem(t, err, problem.Forbidden)
			if got != (tenants.Principal{}) {
				t.Errorf("%s is refused and mapped to %+v", name, got)
			}
		}
		_, err = logins.Counterpart(w.ctx(), org, "jane", tenants.ProviderSAML) // whoever a directory elsewhere calls jane
		wantProblem(t, err, problem.Forbidden)
	})
}
