package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/internal/upkeep"
	"causeway/oauth"
	"causeway/tenants"
)

// keep has a border of its own for each table, so that none is taken for another.
var keep = upkeep.Keep{
	Devices: 24 * time.Hour, Sessions: 25 * time.Hour, Idle: 30 * time.Minute, RevokedTokens: 30 * 24 * time.Hour,
	UsedTokens: 365 * 24 * time.Hour, Tasks: 90 * 24 * time.Hour, Accounts: 92 * 24 * time.Hour, Events: 91 * 24 * time.Hour,
}

// insert writes a row as it is and returns how it is known.
func insert(t testing.TB, db *store.DB, table string, key string, columns string, values ...any) string {
	t.Helper()
	marks := make([]string, len(values))
	for i := range marks {
		marks[i] = fmt.Sprintf("$%d", i+1)
	}
	_, err := db.SQL().ExecContext(context.Background(), "INSERT INTO "+table+" ("+columns+") VALUES ("+strings.Join(marks, ", ")+")", values...)
	ok(t, err)
	return key
}

// keys are the rows that a table has, by the expression that names them.
func keys(t testing.TB, db *store.DB, table, key string) []string {
	t.Helper()
	rows, err := db.SQL().QueryContext(context.Background(), "SELECT "+key+" FROM "+table)
	ok(t, err)
	defer rows.Close()
	var all []string
	for rows.Next() {
		var k string
		ok(t, rows.Scan(&k))
		all = append(all, k)
	}
	ok(t, rows.Err())
	slices.Sort(all)
	return all
}

// sweep walks a table to its end in small steps.
func sweep(t testing.TB, db *store.DB, table string, b upkeep.Before, limit int) (removed int64) {
	t.Helper()
	var at upkeep.Cursor
	for {
		s, err := db.Upkeep().Sweep(t.Context(), table, b, at, limit)
		ok(t, err)
		removed += s.Removed
		if at = s.Next; at == nil {
			return removed
		}
	}
}

// around are times near a border and anywhere: what goes is before it, and the
// border itself stays.
func around(r *rand.Rand, border time.Time) int64 {
	at := border.Add([]time.Duration{-time.Microsecond, 0, time.Microsecond, -time.Hour, time.Hour, time.Duration(r.Int64N(int64(800*24*time.Hour))) - 400*24*time.Hour}[r.IntN(6)])
	return at.UnixMicro()
}

// sometimes is v, or the 0 of what has not happened.
func sometimes(r *rand.Rand, v int64) int64 {
	if r.IntN(3) == 0 {
		return 0
	}
	return v
}

// A row that is live, or not old enough, is never removed, and one that is both
// over and old always is: random rows of every table against a rule written anew.
func TestPurge_R2_RemovesWhatIsOverAndNothingElse(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 1))
		served := newServed(t, db, "Own")
		w := served.tenant
		b, border := keep.Before(now), keep.Before(now)
		stay := map[string][]string{}
		note := func(table, key string, goes bool) {
			if !goes {
				stay[table] = append(stay[table], key)
			}
		}
		for _, table := range db.Upkeep().Tables() { // what is there is of today
			sweep(t, db, table.Name, b, 7)
		}
		for table, key := range purgeKeys {
			stay[table] = keys(t, db, table, key)
		}
		for range 60 {
			id, at := tenants.NewID(), around(r, border.Devices)
			state := []string{"pending", "granted", "denied", "redeemed", "dead"}[r.IntN(5)]
			insert(t, db, "device_requests", id, "org_id, id, account_id, device_code, user_code, state, created_at, expires_at, interval_micros, last_poll, source, address, user_agent",
				string(w.org), id, string(w.account), []byte(id), []byte(id), state, at-1, at, 0, 0, "", "", "")
			note("device_requests", id, at < border.Devices.UnixMicro())

			ended, expires, used := sometimes(r, around(r, border.SessionsOver)), around(r, border.SessionsOver), around(r, border.SessionsUsed)
			began := min(expires, used)
			if ended != 0 {
				began = min(began, ended)
			}
			if id = tenants.NewID(); r.IntN(2) == 0 { // some are of before ids told the time
				id = string(tenants.NewSessionID(time.UnixMicro(began)))
			}
			insert(t, db, "sessions", id, "id, org_id, kind, principal, name, software_id, role_id, family_id, created_at, expires_at, last_used, ended_at",
				id, string(w.org), "user", string(w.user), "", "", "", "", began, expires, used, ended)
			over := border.SessionsOver.UnixMicro()
			note("sessions", id, ended != 0 && ended < over || expires < over || used < border.SessionsUsed.UnixMicro())

			id, at = tenants.NewID(), sometimes(r, around(r, border.Tasks))
			insert(t, db, "tasks", id, "org_id, id, name, operation, status, started_at, ended_at, detail", string(w.org), id, "", "", "success", 1, at, "{}")
			note("tasks", id, at != 0 && at < border.Tasks.UnixMicro())

			id, at = tenants.NewID(), sometimes(r, around(r, border.Accounts))
			hook := []string{"none", "pending", "provisioned", "failed"}[r.IntN(4)]
			insert(t, db, "instance_accounts", id, "org_id, id, instance_id, kind, site_id, app_id, name, created_at, ended_at, hook_state, hook_key, hook_attempts, hook_next, hook_error",
				string(w.org), id, string(served.instance.ID), "app", "", id, "", 1, at, hook, "", 0, 0, "")
			note("instance_accounts", id, at != 0 && at < border.Accounts.UnixMicro() && hook != "pending")

			id = tenants.NewID()
			last, until := around(r, border.Failures), sometimes(r, around(r, border.Failures))
			insert(t, db, "login_failures", id, "org_id, user_id, source, failures, last_at, locked_until", string(w.org), string(w.user), id, 3, last, until)
			ends := around(r, border.Assertions)
			insert(t, db, "assertions", id, "site_id, id, until", string(w.remote.Site), id, ends)
			note("assertions", id, ends < border.Assertions.UnixMicro())
			note("login_failures", id, last < border.Failures.UnixMicro() && until < border.Failures.UnixMicro())
		}
		for range 20 {
			randomFamily(t, r, w, border, note)
		}
		before := map[string]int{}
		for table, key := range purgeKeys {
			before[table] = len(keys(t, db, table, key))
		}
		for _, table := range db.Upkeep().Tables() {
			key := purgeKeys[table.Name]
			if key == "" {
				continue
			}
			removed := sweep(t, db, table.Name, b, 1+r.IntN(20))
			slices.Sort(stay[table.Name])
			if got := keys(t, db, table.Name, key); !slices.Equal(got, stay[table.Name]) {
				t.Errorf("%s: %d rows are left, want %d\n got %v\nwant %v", table.Name, len(got), len(stay[table.Name]), got, stay[table.Name])
			} else if removed != int64(before[table.Name]-len(got)) || removed == 0 {
				t.Errorf("%s: counted %d removed of %d, and %d are left", table.Name, removed, before[table.Name], len(got))
			}
		}
	})
}

var purgeKeys = map[string]string{
	"device_requests": "id", "sessions": "id", "tasks": "id", "login_failures": "source", "token_families": "id",
	"used_tokens": "family_id || ' ' || generation", "assertions": "id", "instance_accounts": "id",
}

// randomFamily adds a family of its own account, revoked or live, with its used
// tokens.
func randomFamily(t *testing.T, r *rand.Rand, w *tenant, border upkeep.Before, note func(table, key string, goes bool)) {
	t.Helper()
	id := tenants.NewID()
	account := w.newAccount(t, "app-"+id)
	revoked, generation := sometimes(r, around(r, border.Revoked)), r.IntN(8)
	insert(t, w.db, "token_families", id, "org_id, id, account_id, generation, current_digest, created_at, revoked_at",
		string(w.org), id, string(account.account), generation, []byte("current "+id), 1, revoked)
	gone := revoked != 0 && revoked < border.Revoked.UnixMicro()
	note("token_families", id, gone)
	for g := range generation {
		key, used := fmt.Sprint(id, " ", g), around(r, border.Used)
		insert(t, w.db, "used_tokens", key, "digest, org_id, family_id, generation, used_at, source, retries", []byte(key), string(w.org), id, g, used, "", 0)
		note("used_tokens", key, gone || used < border.Used.UnixMicro() && g < generation-2)
	}
}

// What was removed is as if it had never been: the token says nothing, and
// showing it harms nobody. Of a live family what decides retries and replays stays.
func TestPurge_R3_TheTokensOfALiveFamilyStillDecide(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own")
		first := w.used
		for range 4 { // generations 1 to 4 are used, 5 is current
			rotation := w.rotation(w.family.Generation)
			if _, did, err := db.OAuth().Rotate(t.Context(), rotation); !did || err != nil {
				t.Fatal(did, err)
			}
			w.used, w.family.Generation, w.family.Current = rotation.From, w.family.Generation+1, rotation.To
		}
		years := keep.Before(now.Add(10 * 365 * 24 * time.Hour))
		if n := sweep(t, db, "used_tokens", years, 2); n != 3 {
			t.Errorf("%d used tokens were removed, want 3 of 5", n)
		}
		sweep(t, db, "token_families", years, 2)
		ok(t, db.OAuth().View(t.Context(), func(o oauth.Reader) error {
			if _, err := o.RefreshToken(first); !problem.Has(err, problem.NotFound) {
				t.Errorf("a token whose row is gone: %v", err)
			}
			spent, err := o.RefreshToken(w.used)
			if err != nil || spent.Shown != w.family.Generation-1 || spent.UsedAt.IsZero() {
				t.Errorf("the last spent token: %+v, %v", spent, err)
			}
			current, err := o.RefreshToken(w.family.Current)
			if err != nil || !current.RevokedAt.IsZero() || current.Shown != current.Generation {
				t.Errorf("the current token: %+v, %v", current, err)
			}
			return nil
		}))
		retried := false
		inOAuth(t, db, func(tx oauth.Tx) (err error) {
			retried, err = tx.CountRetry(w.org, w.family.ID, w.used, true)
			return err
		})
		if !retried {
			t.Error("the last spent token cannot be retried any more")
		}
	})
}

// The sessions of a busy site's last day are many and none of them is over: the walk
// leaps over them, whatever they look like, and ends although their number grows.
func TestPurge_R13_YoungSessionsAreNotLookedAt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own")
		session := func(id tenants.SessionID) string {
			return insert(t, db, "sessions", string(id), "id, org_id, kind, principal, name, software_id, role_id, family_id, created_at, expires_at, last_used, ended_at",
				string(id), string(w.org), "user", string(w.user), "", "", "", "", 1, 2, 1, 1)
		}
		b := keep.Before(now)
		sweep(t, db, "sessions", b, 100) // what there is by now
		stay := keys(t, db, "sessions", "id")
		for _, at := range []time.Time{b.SessionsOver.Add(time.Millisecond), now, now.Add(5 * time.Minute)} {
			stay = append(stay, session(tenants.NewSessionID(at)))
		}
		slices.Sort(stay)
		// By chance, of before ids told the time: in front of the young ones and behind.
		session("00000000-0000-4000-8000-000000000001")
		session("ffffffff-ffff-4fff-bfff-fffffffffffe")
		session(tenants.NewSessionID(b.SessionsOver.Add(-time.Millisecond)))
		looks := 0
		ok(t, db.Spy(func(query string, _ []any) {
			if !strings.Contains(query, "FROM (SELECT * FROM sessions b") {
				return
			}
			if looks++; looks > 10 {
				t.Fatal("the walk does not end")
			}
			session(tenants.NewSessionID(now))
		}))
		if n := sweep(t, db, "sessions", b, 1); n != 3 {
			t.Errorf("%d sessions were removed, want the 3 old ones", n)
		}
		left := keys(t, db, "sessions", "id")
		for _, id := range stay {
			if !slices.Contains(left, id) {
				t.Errorf("%s is gone", id)
			}
		}
	})
}

// A row that came back to life after it was looked at stays.
func TestPurge_ARowThatLivesAgainStays(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own")
		old := keep.Before(now.Add(48 * time.Hour))
		done := false
		ok(t, db.Spy(func(query string, _ []any) {
			if !strings.Contains(query, "FROM (SELECT * FROM sessions b") || done {
				return
			}
			done = true // it was used on another cell just now
			_, err := db.SQL().ExecContext(context.Background(), "UPDATE sessions SET last_used = $1, expires_at = $1 WHERE id = $2", now.Add(72*time.Hour).UnixMicro(), string(w.session.ID))
			ok(t, err)
		}))
		s, err := db.Upkeep().Sweep(t.Context(), "sessions", old, nil, 100)
		if err != nil || s.Removed != 0 || !done {
			t.Errorf("removed %d, %v (touched: %v)", s.Removed, err, done)
		}
		if left := keys(t, db, "sessions", "id"); !slices.Contains(left, string(w.session.ID)) {
			t.Error("a session in use was removed")
		}
	})
}

// A family may have very many used tokens: no statement removes more than a
// batch, and the family goes after the last of them.
func TestPurge_R13_LargeFamiliesGoInBatches(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own")
		inOAuth(t, db, func(tx oauth.Tx) error { return tx.RevokeFamilies(w.org, w.account, now) })
		for g := 2; g < 300; g++ {
			insert(t, db, "used_tokens", "", "digest, org_id, family_id, generation, used_at, source, retries",
				fmt.Appendf(nil, "many %d", g), string(w.org), w.family.ID, g, now.UnixMicro(), "", 0)
		}
		old := keep.Before(now.Add(31 * 24 * time.Hour))
		if n := sweep(t, db, "token_families", old, 10); n != 0 {
			t.Error("a family went before its tokens")
		}
		var at upkeep.Cursor
		for steps := 0; ; steps++ {
			s, err := db.Upkeep().Sweep(t.Context(), "used_tokens", old, at, 64)
			ok(t, err)
			if s.Removed > 64 {
				t.Fatalf("one step removed %d", s.Removed)
			}
			if at = s.Next; at == nil {
				break
			}
		}
		if n := sweep(t, db, "token_families", old, 10); n != 1 {
			t.Errorf("%d families were removed afterwards", n)
		}
	})
}

// Events go when they are sealed, and only as far as the journal says.
func TestPurge_OnlySealedEventsGo(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for range 30 {
			note(t, db)
		}
		u, old := db.Upkeep(), keep.Before(now.Add(200*24*time.Hour))
		purge := func() int64 {
			t.Helper()
			ok(t, u.AllowPurge(t.Context(), journal.TokenEvents, old.Events, now))
			return sweep(t, db, "token_events", old, 4)
		}
		if n := purge(); n != 0 {
			t.Errorf("%d events were removed before they were sealed", n)
		}
		events, err := u.Events(t.Context(), journal.TokenEvents, 0, 1<<62, 20)
		ok(t, err)
		seal := journal.NewSeal(journal.TokenEvents, events)
		sealed, err := u.Seal(t.Context(), seal, 0, seal.Entry(now))
		if !sealed || err != nil {
			t.Fatal(sealed, err)
		}
		ok(t, u.AllowPurge(t.Context(), journal.TokenEvents, now, now)) // sealed too late for this border
		if n := sweep(t, db, "token_events", old, 4); n != 0 {
			t.Errorf("%d young events were removed", n)
		}
		if n := purge(); n != 20 {
			t.Errorf("%d events were removed, want the 20 that were sealed", n)
		}
		if n := purge(); n != 0 {
			t.Errorf("%d more", n)
		}
		storetest.Intact(t, db)
		if head, err := db.Journal().Head(t.Context()); err != nil || head != 2 {
			t.Errorf("the journal has %d entries, want the seal and the border: %v", head, err)
		}
	})
}

func note(t testing.TB, db *store.DB) {
	t.Helper()
	inOAuth(t, db, func(tx oauth.Tx) error {
		return tx.Note(oauth.Event{At: now, Org: "org", Account: "app", Kind: "issued", Source: "192.0.2.1", Detail: "détail <&>"})
	})
}
