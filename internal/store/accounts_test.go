package store_test

import (
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// What an account has, and the status that follows. The list must say the same
// as a single read, and let itself be filtered by it.
func TestStatus_VCD26_VCD27_VCD28_VCD29(t *testing.T) {
	t.Parallel()
	device := func(state oauth.DeviceState, expires time.Time) func(*tenant, oauth.Tx) error {
		return func(w *tenant, tx oauth.Tx) error {
			d := w.newDevice(state)
			d.ExpiresAt = expires
			return tx.CreateDevice(d)
		}
	}
	family := func(revoked time.Time) func(*tenant, oauth.Tx) error {
		return func(w *tenant, tx oauth.Tx) error {
			f := w.newFamily()
			f.RevokedAt = revoked
			return tx.CreateFamily(f)
		}
	}
	later, earlier := now.Add(time.Second), now.Add(-time.Second)
	cases := []struct {
		name string
		has  []func(*tenant, oauth.Tx) error
		want oauth.Status
	}{
		{"VCD-26 nothing", nil, oauth.Created},
		{"VCD-27 one open request", []func(*tenant, oauth.Tx) error{device(oauth.DevicePending, later)}, oauth.Requested},
		{"VCD-27 two open requests", []func(*tenant, oauth.Tx) error{device(oauth.DevicePending, later), device(oauth.DevicePending, later)}, oauth.Requested},
		{"VCD-27 one open, one expired", []func(*tenant, oauth.Tx) error{device(oauth.DevicePending, later), device(oauth.DevicePending, earlier)}, oauth.Requested},
		{"VCD-26 an expired request", []func(*tenant, oauth.Tx) error{device(oauth.DevicePending, earlier)}, oauth.Created},
		{"VCD-26 a request that expires now", []func(*tenant, oauth.Tx) error{device(oauth.DevicePending, now)}, oauth.Created},
		{"VCD-26 denied, dead and redeemed requests", []func(*tenant, oauth.Tx) error{
			device(oauth.DeviceDenied, later), device(oauth.DeviceDead, later), device(oauth.DeviceRedeemed, later)}, oauth.Created},
		{"VCD-28 granted", []func(*tenant, oauth.Tx) error{device(oauth.DeviceGranted, later)}, oauth.Granted},
		{"VCD-28 granted and another open", []func(*tenant, oauth.Tx) error{device(oauth.DeviceGranted, later), device(oauth.DevicePending, later)}, oauth.Granted},
		{"VCD-27 granted but expired, another open", []func(*tenant, oauth.Tx) error{device(oauth.DeviceGranted, earlier), device(oauth.DevicePending, later)}, oauth.Requested},
		{"VCD-26 granted but expired", []func(*tenant, oauth.Tx) error{device(oauth.DeviceGranted, earlier)}, oauth.Created},
		{"VCD-29 a live family", []func(*tenant, oauth.Tx) error{family(time.Time{})}, oauth.Active},
		{"VCD-29 a live family and an open request", []func(*tenant, oauth.Tx) error{family(time.Time{}), device(oauth.DevicePending, later)}, oauth.Active},
		{"VCD-29 a live family and a granted request", []func(*tenant, oauth.Tx) error{family(time.Time{}), device(oauth.DeviceGranted, later)}, oauth.Active},
		{"VCD-92 a revoked family", []func(*tenant, oauth.Tx) error{family(now)}, oauth.Created},
		{"VCD-93 a revoked family and an open request", []func(*tenant, oauth.Tx) error{family(now), device(oauth.DevicePending, later)}, oauth.Requested},
		{"VCD-29 a revoked family and a live one", []func(*tenant, oauth.Tx) error{family(now), family(time.Time{})}, oauth.Active},
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		org := newOrg(t, db, "Own")
		org.newAccount(t, "bystander")
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				w := org.newAccount(t, c.name)
				inOAuth(t, db, func(tx oauth.Tx) error {
					for _, has := range c.has {
						if err := has(w, tx); err != nil {
							return err
						}
					}
					return nil
				})
				if got := w.status(t, now); got != c.want {
					t.Errorf("ServiceAccount: got %s, want %s", got, c.want)
				}
				ok(t, db.OAuth().View(t.Context(), func(r oauth.Reader) error {
					a, err := r.ServiceAccountByName(w.org, c.name, now)
					if err != nil || a.Status != c.want {
						t.Errorf("ServiceAccountByName: got %s, %v, want %s", a.Status, err, c.want)
					}
					list, n, err := r.ServiceAccounts(w.org, tenants.Query{
						Where: "status = ? AND name = ?", Args: []any{string(c.want), c.name}, SortBy: "status", Page: 1, PageSize: 2}, now)
					if n != 1 || len(list) != 1 || list[0] != a {
						t.Errorf("ServiceAccounts: got %+v, %d", list, n)
					}
					return err
				}))
			})
		}
	})
}

func TestServiceAccountsPagesSortsAndFilters(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newOrg(t, db, "Own")
		for _, name := range []string{"delta", "Beta", "alpha", "_c", "epsilon"} {
			w.newAccount(t, name)
		}
		for _, c := range []struct {
			q     tenants.Query
			want  []string
			total int
		}{
			{tenants.Query{Page: 1, PageSize: 10}, []string{"Beta", "_c", "alpha", "delta", "epsilon"}, 5},
			{tenants.Query{Page: 1, PageSize: 2}, []string{"Beta", "_c"}, 5},
			{tenants.Query{Page: 3, PageSize: 2}, []string{"epsilon"}, 5},
			{tenants.Query{Page: 4, PageSize: 2}, nil, 5},
			{tenants.Query{Page: 1, PageSize: 3, SortBy: "name", Desc: true}, []string{"epsilon", "delta", "alpha"}, 5},
			{tenants.Query{Page: 1, PageSize: 9, Where: "name IN (?, ?)", Args: []any{"alpha", "Beta"}}, []string{"Beta", "alpha"}, 2},
			{tenants.Query{Page: 1, PageSize: 9, Where: "software_id = ?", Args: []any{"AbC-delta"}, SortBy: "uri"}, []string{"delta"}, 1},
			{tenants.Query{Page: 1, PageSize: 9, Where: "software_id = ?", Args: []any{"abc-delta"}}, nil, 0},
			{tenants.Query{Page: 1, PageSize: 9, Where: "name LIKE ?", Args: []any{"%lt%"}}, []string{"delta"}, 1},
			{tenants.Query{Page: 1, PageSize: 9, Where: "created_at > ?", Args: []any{now.UnixMicro()}}, nil, 0},
			{tenants.Query{Page: 1, PageSize: 1, Where: "name = ? OR name = ?", Args: []any{"delta", "_c"}, SortBy: "created_at"}, nil, 2},
		} {
			ok(t, db.OAuth().View(t.Context(), func(r oauth.Reader) error {
				list, total, err := r.ServiceAccounts(w.org, c.q, now)
				var names []string
				for _, a := range list {
					names = append(names, a.Name)
				}
				if c.q.SortBy == "created_at" {
					names = nil // by id, which is random
				}
				if err != nil || total != c.total || !reflect.DeepEqual(names, c.want) {
					t.Errorf("%+v: got %v of %d, %v, want %v of %d", c.q, names, total, err, c.want, c.total)
				}
				return nil
			}))
		}
	})
}

func TestUpdateAndDeleteServiceAccount_VCD88_VCD91(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own")
		changed := oauth.ServiceAccount{ID: w.account, Org: w.org, Name: "ignored", SoftwareID: "Other", SoftwareVersion: "", URI: "", Role: w.role}
		inOAuth(t, db, func(tx oauth.Tx) error { return tx.UpdateServiceAccount(changed) })
		got := read(t, db, func(r oauth.Reader) (oauth.ServiceAccount, error) { return r.ServiceAccount(w.org, w.account, now) })
		want := changed
		want.Name, want.CreatedAt, want.Status = "app", now, oauth.Active
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}

		end := now.Add(time.Minute)
		inOAuth(t, db, func(tx oauth.Tx) error { return tx.DeleteServiceAccount(w.org, w.account, end) })
		for _, table := range []string{"service_accounts", "device_requests", "token_families", "used_tokens"} {
			if n := count(t, db, table, "org_id = '"+string(w.org)+"'"); n != 0 {
				t.Errorf("%d rows of %s are left", n, table)
			}
		}
		s := read(t, db, func(r oauth.Reader) (oauth.Session, error) { return r.Session(w.session.ID) })
		if !s.EndedAt.Equal(end) {
			t.Errorf("the session ended at %v, want %v", s.EndedAt, end)
		}
		if _, rotated, err := db.OAuth().Rotate(t.Context(), w.rotation(1)); rotated || err != nil {
			t.Errorf("a deleted account's token rotated: %v, %v", rotated, err)
		}
	})
}

func TestDevices_R2(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own")
		expired, granted := w.newDevice(oauth.DevicePending), w.newDevice(oauth.DeviceGranted)
		expired.ExpiresAt, granted.CreatedAt = now, now.Add(-time.Minute)
		granted.UserAgent = "bad\xff\x00agent"
		inOAuth(t, db, func(tx oauth.Tx) error {
			if err := tx.CreateDevice(expired); err != nil {
				return err
			}
			return tx.CreateDevice(granted)
		})
		granted.UserAgent = "bad\uFFFD\uFFFDagent"

		ok(t, db.OAuth().View(t.Context(), func(r oauth.Reader) error {
			if got, err := r.DeviceByUserCode(w.org, granted.UserCode, now); err != nil || !reflect.DeepEqual(got, granted) {
				t.Errorf("DeviceByUserCode: got %+v, %v, want %+v", got, err, granted)
			}
			_, err := r.DeviceByUserCode(w.org, expired.UserCode, now)
			wantProblem(t, err, problem.NotFound)
			_, err = r.DeviceByUserCode(w.org, digest("unknown"), now)
			wantProblem(t, err, problem.NotFound)
			_, err = r.DeviceByUserCode(w.org, nil, now)
			wantProblem(t, err, problem.NotFound)
			open, err := r.OpenDevices(w.org, w.account, now)
			if ids := deviceIDs(open); !slices.Equal(ids, []string{granted.ID, w.device.ID}) {
				t.Errorf("OpenDevices: %v is not oldest first, without the expired", ids)
			}
			return err
		}))

		poll := now.Add(time.Minute)
		inOAuth(t, db, func(tx oauth.Tx) error { return tx.SetPolled(w.org, w.device.ID, poll, 65*time.Second) })
		inOAuth(t, db, func(tx oauth.Tx) error {
			got, err := tx.LockDevice(w.org, w.device.DeviceCode)
			if !got.LastPoll.Equal(poll) || got.Interval != 65*time.Second || got.State != oauth.DevicePending {
				t.Errorf("LockDevice: %+v", got)
			}
			return err
		})
		// An expired request stays findable by its device code, to say so.
		inOAuth(t, db, func(tx oauth.Tx) error {
			_, err := tx.LockDevice(w.org, expired.DeviceCode)
			if moved, err := tx.MoveDevice(w.org, expired.ID, oauth.DevicePending, oauth.DeviceGranted, now); moved || err != nil {
				t.Errorf("an expired request moved: %v, %v", moved, err)
			}
			return err
		})
		inOAuth(t, db, func(tx oauth.Tx) error { return tx.CloseDevices(w.org, w.account, granted.ID) })
		ok(t, db.OAuth().View(t.Context(), func(r oauth.Reader) error {
			open, err := r.OpenDevices(w.org, w.account, now)
			if ids := deviceIDs(open); !slices.Equal(ids, []string{granted.ID}) {
				t.Errorf("CloseDevices left %v open", ids)
			}
			return err
		}))
	})
}

func deviceIDs(devices []oauth.DeviceRequest) (ids []string) {
	for _, d := range devices {
		ids = append(ids, d.ID)
	}
	return ids
}

// parallel runs f n times at once and counts how often it says true.
func parallel(t *testing.T, n int, f func(i int) (bool, error)) int64 {
	t.Helper()
	var yes atomic.Int64
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			did, err := f(i)
			if err != nil {
				t.Error(err)
			}
			if did {
				yes.Add(1)
			}
		})
	}
	wg.Wait()
	return yes.Load()
}

func TestMoveDevice_R2_OnceUnderRaces(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own")
		moved := parallel(t, 20, func(i int) (moved bool, err error) {
			to := []oauth.DeviceState{oauth.DeviceGranted, oauth.DeviceDenied}[i%2]
			err = db.OAuth().InTx(t.Context(), func(tx oauth.Tx) (err error) {
				moved, err = tx.MoveDevice(w.org, w.device.ID, oauth.DevicePending, to, now)
				return err
			})
			return moved, err
		})
		if moved != 1 {
			t.Errorf("%d of 20 moved the request, want 1", moved)
		}
	})
}

// A cap judged on OpenDevices holds under races.
func TestOpenDevices_R2_CapHoldsUnderRaces(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const limit = 3
		w := newOrg(t, db, "Own").newAccount(t, "app")
		created := parallel(t, 16, func(int) (created bool, err error) {
			err = db.OAuth().InTx(t.Context(), func(tx oauth.Tx) error {
				created = false
				open, err := tx.OpenDevices(w.org, w.account, now)
				if err != nil || len(open) >= limit {
					return err
				}
				created = true
				return tx.CreateDevice(w.newDevice(oauth.DevicePending))
			})
			return created, err
		})
		if n := count(t, db, "device_requests", "state = 'pending'"); n != limit || created != limit {
			t.Errorf("%d requests are open, %d were created, want %d", n, created, limit)
		}
	})
}

// Redemptions of several granted requests that meet leave one live family, and
// no live session of another.
func TestRedemption_R3_OneLiveFamilyUnderRaces(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newOrg(t, db, "Own").newAccount(t, "app")
		parallel(t, 12, func(int) (bool, error) {
			with := *w
			with.family = w.newFamily()
			session := with.newSession()
			return true, db.OAuth().InTx(t.Context(), func(tx oauth.Tx) error {
				if err := tx.RevokeFamilies(w.org, w.account, now); err != nil {
					return err
				}
				if err := tx.CreateFamily(with.family); err != nil {
					return err
				}
				return tx.CreateSession(session)
			})
		})
		if n := count(t, db, "token_families", "revoked_at = 0"); n != 1 {
			t.Errorf("%d families live, want 1", n)
		}
		if n := w.liveSessions(t); n != 1 {
			t.Errorf("%d sessions live, want 1", n)
		}
	})
}

// Without a lock in between, the index alone keeps it at one.
func TestCreateFamily_R3_SecondLiveFamilyIsAConflict(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own")
		err := db.OAuth().InTx(t.Context(), func(tx oauth.Tx) error { return tx.CreateFamily(w.newFamily()) })
		wantProblem(t, err, problem.Conflict)
	})
}

func TestSessions(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own")
		got := read(t, db, func(r oauth.Reader) (oauth.Session, error) { return r.Session(w.session.ID) })
		if !reflect.DeepEqual(got, w.session) {
			t.Errorf("got %+v, want %+v", got, w.session)
		}
		err := db.OAuth().View(t.Context(), func(r oauth.Reader) error {
			_, err := r.Session(newID[tenants.SessionID]())
			return err
		})
		wantProblem(t, err, problem.NotFound)

		user := w.newSession()
		user.Kind, user.Principal, user.Family = tenants.KindUser, string(w.user), ""
		inOAuth(t, db, func(tx oauth.Tx) error { return tx.CreateSession(user) })
		end := now.Add(time.Minute)
		for range 2 { // ending twice keeps the first end
			inOAuth(t, db, func(tx oauth.Tx) error { return tx.EndSession(w.org, user.ID, end) })
			end = end.Add(time.Minute)
		}
		got = read(t, db, func(r oauth.Reader) (oauth.Session, error) { return r.Session(user.ID) })
		if want := now.Add(time.Minute); !got.EndedAt.Equal(want) {
			t.Errorf("ended at %v, want %v", got.EndedAt, want)
		}
		if n := w.liveSessions(t); n != 1 {
			t.Errorf("the account has %d live sessions, want 1", n)
		}
		inOAuth(t, db, func(tx oauth.Tx) error {
			return tx.EndSessionsOf(w.org, tenants.KindServiceAccount, string(w.account), now)
		})
		if n := w.liveSessions(t); n != 0 {
			t.Errorf("the account has %d live sessions, want 0", n)
		}
	})
}

// Nobody opens a session on a family that was revoked, nor for a user who is not.
func TestCreateSession_R4_NeedsALiveOwner(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own")
		inOAuth(t, db, func(tx oauth.Tx) error { return tx.RevokeFamilies(w.org, w.account, now) })
		nobody, another := w.newSession(), w.newSession()
		nobody.Kind, nobody.Principal, nobody.Family = tenants.KindUser, newID[string](), ""
		another.Principal = newID[string]()
		for _, s := range []oauth.Session{w.newSession(), nobody, another} {
			err := db.OAuth().InTx(t.Context(), func(tx oauth.Tx) error { return tx.CreateSession(s) })
			wantProblem(t, err, problem.NotFound)
		}
	})
}

func TestTouch(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own")
		const many = 1100
		used := map[tenants.SessionID]time.Time{newID[tenants.SessionID](): now} // not ours
		inOAuth(t, db, func(tx oauth.Tx) error {
			for i := range many {
				s := w.newSession()
				s.Family, s.LastUsed = "", now.Add(time.Duration(i)*time.Microsecond)
				if err := tx.CreateSession(s); err != nil {
					return err
				}
				used[s.ID] = now.Add(many / 2 * time.Microsecond)
			}
			return nil
		})
		before := db.Statements()
		ok(t, db.OAuth().Touch(t.Context(), used))
		if n := db.Statements() - before; n > 10 {
			t.Errorf("touching %d sessions took %d statements", many, n)
		}
		at := fmt.Sprint(now.Add(many / 2 * time.Microsecond).UnixMicro())
		if n := count(t, db, "sessions", "family_id = '' AND last_used < "+at); n != 0 {
			t.Errorf("%d sessions were not touched", n)
		}
		if n := count(t, db, "sessions", "family_id = '' AND last_used > "+at); n != many/2-1 {
			t.Errorf("%d sessions keep their later use, want %d", n, many/2-1)
		}
		ok(t, db.OAuth().Touch(t.Context(), nil))
	})
}

func TestSigningKeysOldestFirst(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		old := oauth.SigningKey{ID: "b", Algorithm: "ES256", Public: []byte{1}, Private: []byte{2}, CreatedAt: now}
		young := oauth.SigningKey{ID: "a", Algorithm: "RS256", Public: []byte{3}, Private: []byte{4}, CreatedAt: now.Add(time.Hour)}
		inOAuth(t, db, func(tx oauth.Tx) error {
			if err := tx.CreateSigningKey(young); err != nil {
				return err
			}
			return tx.CreateSigningKey(old)
		})
		got := read(t, db, func(r oauth.Reader) ([]oauth.SigningKey, error) { return r.SigningKeys() })
		if want := []oauth.SigningKey{old, young}; !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}
