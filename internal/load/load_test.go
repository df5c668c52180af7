package load_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"causeway/internal/load"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

func hasher(t testing.TB) *secret.PasswordHasher {
	t.Helper()
	h, err := secret.NewPasswordHasher(secret.PasswordLimits{Concurrent: 1, Waiting: 1})
	ok(t, err)
	return h
}

// setUp makes of an empty database what `causeway init` makes.
func setUp(t testing.TB, db *store.DB) *tenants.Provisioner {
	t.Helper()
	p := tenants.NewProvisioner(db.Tenants(), hasher(t), time.Now)
	ok(t, p.EnsureSystem(t.Context()))
	return p
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func view(t testing.TB, db *store.DB, f func(tenants.Reader, oauth.Reader) error) {
	t.Helper()
	ok(t, db.Tenants().View(t.Context(), func(r tenants.Reader) error { return f(r, r.(oauth.Reader)) }))
}

// filled is what a load of these options is expected to have made.
func filled(t *testing.T, db *store.DB, organizations, users, accounts int) (made []tenants.Organization) {
	t.Helper()
	view(t, db, func(r tenants.Reader, o oauth.Reader) error {
		all, err := r.Organizations()
		if err != nil {
			return err
		}
		if made = all[1:]; len(made) != organizations {
			t.Fatalf("%d organizations, want %d", len(made), organizations)
		}
		first := tenants.Query{Page: 1, PageSize: 100}
		for _, org := range made {
			people, n, err := r.Users(org.ID, first, time.Now())
			if err != nil || n != users || len(people) != users {
				t.Errorf("%s: %d users, %v", org.Name, n, err)
			}
			_, n, err = o.ServiceAccounts(org.ID, first, time.Now())
			if err != nil || n != accounts {
				t.Errorf("%s: %d accounts, %v", org.Name, n, err)
			}
			_, n, err = r.Audit(org.ID, first)
			if err != nil || n != 1 {
				t.Errorf("%s: %d rows in the journal, %v", org.Name, n, err)
			}
		}
		return nil
	})
	return made
}

func TestLoad(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		setUp(t, db)
		const password = "correct horse"
		var seen []load.Progress
		ok(t, load.Run(t.Context(), db, load.Options{Organizations: 3, Users: 4, Accounts: 10, Password: password},
			func(p load.Progress) { seen = append(seen, p) }))
		made := filled(t, db, 3, 4, 10)
		if last := seen[len(seen)-1]; last.Organizations != 3 || last.Users != 12 || last.Accounts != 30 || last.Of != 3 || last.Left() != 0 {
			t.Errorf("reported %+v", last)
		}

		// Larger, by going on: what was there stays as it was.
		ok(t, load.Run(t.Context(), db, load.Options{Organizations: 5, Users: 4, Accounts: 10}, nil))
		again := filled(t, db, 5, 4, 10)
		for _, before := range made {
			found := false
			for _, now := range again {
				found = found || now.ID == before.ID && now.Name == before.Name
			}
			if !found {
				t.Errorf("%s is another organization now", before.Name)
			}
		}
		ok(t, load.Run(t.Context(), db, load.Options{Organizations: 5, Users: 4, Accounts: 10}, nil)) // nothing to do
		filled(t, db, 5, 4, 10)
		storetest.Intact(t, db)

		counts := map[oauth.Status]int{}
		directory, err := tenants.NewDirectory(db.Tenants(), 10)
		ok(t, err)
		snapshot, err := directory.Organization(t.Context(), made[0].ID)
		ok(t, err)
		view(t, db, func(r tenants.Reader, o oauth.Reader) error {
			accounts, _, err := o.ServiceAccounts(made[0].ID, tenants.Query{Page: 1, PageSize: 32}, time.Now())
			for _, a := range accounts {
				counts[a.Status]++
				if _, known := snapshot.RoleName(a.Role); !known {
					t.Errorf("%s holds an unknown role", a.Name)
				}
			}
			return err
		})
		if fmt.Sprint(counts) != "map[ACTIVE:6 CREATED:2 GRANTED:1 REQUESTED:1]" {
			t.Errorf("accounts by status: %v", counts)
		}
		logins := tenants.NewLogins(db.Tenants(), hasher(t), time.Now)
		admin, err := logins.Check(t.Context(), snapshot, load.AdministratorName, password, tenants.Origin{Source: "192.0.2.1"})
		ok(t, err)
		if !snapshot.Allows(admin.Role, tenants.KindUser, tenants.RightAccountsManage) {
			t.Error("the administrator cannot manage accounts")
		}
	})
}

func TestLoadRefusesASiteThatServesOthers(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, storetest.SQLite)
	o := load.Options{Organizations: 2, Users: 1, Accounts: 1}
	if err := load.Run(t.Context(), db, o, nil); !errors.Is(err, load.ErrNotSetUp) {
		t.Errorf("before init: %v", err)
	}
	_, err := setUp(t, db).CreateOrganization(t.Context(), tenants.Caller{}, "meridian-foods-12x", "Real")
	ok(t, err)
	if err := load.Run(t.Context(), db, o, nil); !errors.Is(err, load.ErrForeign) {
		t.Errorf("beside another organization: %v", err)
	}
	filled(t, db, 1, 0, 0)
	o.Force = true
	ok(t, load.Run(t.Context(), db, o, nil))
	view(t, db, func(r tenants.Reader, _ oauth.Reader) error {
		n, err := r.CountOrganizations()
		if n != 4 {
			t.Errorf("%d organizations", n)
		}
		return err
	})
}

func TestLoadRefusesSizesOutOfBounds(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, storetest.SQLite)
	setUp(t, db)
	good := load.Options{Organizations: 1, Users: 1}
	for name, spoil := range map[string]func(*load.Options){
		"no organization":   func(o *load.Options) { o.Organizations = 0 },
		"too many":          func(o *load.Options) { o.Organizations = load.MaxOrganizations + 1 },
		"no user":           func(o *load.Options) { o.Users = 0 },
		"negative accounts": func(o *load.Options) { o.Accounts = -1 },
		"huge accounts":     func(o *load.Options) { o.Accounts = load.MaxAccounts + 1 },
		"short password":    func(o *load.Options) { o.Password = "seven77" },
		"seven characters":  func(o *load.Options) { o.Password = "pässwör" }, // and nine bytes
		"the login":         func(o *load.Options) { o.Password = "Administrator" },
		"huge password":     func(o *load.Options) { o.Password = secret.Text(strings.Repeat("x", tenants.MaxPassword+1)) },
	} {
		o := good
		spoil(&o)
		if err := load.Run(t.Context(), db, o, nil); !problem.Has(err, problem.BadRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}
	filled(t, db, 0, 0, 0)
}

// What was interrupted is finished by running it again.
func TestLoadGoesOnAfterAnInterruption(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		setUp(t, db)
		o := load.Options{Organizations: 8, Users: 2, Accounts: load.MaxAccounts / 2}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		err := load.Run(ctx, db, o, func(load.Progress) { cancel() })
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("interrupted: %v", err)
		}
		o.Accounts = 3
		ok(t, load.Run(t.Context(), db, o, nil))
		view(t, db, func(r tenants.Reader, a oauth.Reader) error {
			all, err := r.Organizations()
			if err != nil || len(all) != 9 {
				t.Fatalf("%d organizations, %v", len(all), err)
			}
			for _, org := range all[1:] {
				_, n, err := a.ServiceAccounts(org.ID, tenants.Query{Page: 1, PageSize: 1}, time.Now())
				if err != nil || n != 3 && n != load.MaxAccounts/2 {
					t.Errorf("%s has %d accounts, %v", org.Name, n, err)
				}
			}
			return nil
		})
	})
}
