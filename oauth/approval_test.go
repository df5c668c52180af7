package oauth_test

import (
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// approvals are the three things that a user code is good for.
func approvals(w *world) map[string]func(code string) error {
	return map[string]func(string) error{
		"look up": func(code string) error {
			_, err := w.service.LookUp(w.ctx(), w.admin, w.snapshot(), code)
			return err
		},
		"grant": func(code string) error { return w.service.Grant(w.ctx(), w.admin, w.snapshot(), code) },
		"deny":  func(code string) error { return w.service.Deny(w.ctx(), w.admin, w.snapshot(), code) },
	}
}

func TestUserCode(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for _, tt := range []struct {
			name string
			code func(w *world) string
		}{
			{"VCD-63 before the app has asked", func(w *world) string { w.newAccount(); return "BCDF-GHJK" }},
			{"VCD-17 the client id", func(w *world) string { return string(w.startDevice(w.newAccount()).account.ID) }},
			{"VCD-17 the device code", func(w *world) string { return w.startDevice(w.newAccount()).DeviceCode }},
			{"VCD-17 nothing", func(w *world) string { w.startDevice(w.newAccount()); return "" }},
			{"VCD-17 one character less", func(w *world) string { return w.startDevice(w.newAccount()).UserCode[:8] }},
			{"VCD-17 one character more", func(w *world) string { return w.startDevice(w.newAccount()).UserCode + "X" }},
			{"VCD-17 one character wrong", func(w *world) string { return wrong(w.startDevice(w.newAccount()).UserCode) }},
			{"VCD-76 expired", func(w *world) string {
				d := w.startDevice(w.newAccount())
				w.clock.add(d.ExpiresIn)
				return d.UserCode
			}},
			{"VCD-66 granted and expired", func(w *world) string {
				d := w.startDevice(w.newAccount())
				d.decide(granted)
				w.clock.add(d.ExpiresIn)
				return d.UserCode
			}},
			{"VCD-81 granted already", func(w *world) string {
				d := w.startDevice(w.newAccount())
				d.decide(granted)
				return d.UserCode
			}},
			{"VCD-82 denied already", func(w *world) string {
				d := w.startDevice(w.newAccount())
				d.decide(denied)
				return d.UserCode
			}},
			{"VCD-81 granted and fetched", func(w *world) string {
				d := w.startDevice(w.newAccount())
				d.decide(granted)
				_, err := d.poll(0)
				w.must(err)
				return d.UserCode
			}},
			{"R2 pushed out by newer requests", func(w *world) string {
				a := w.newAccount()
				first := w.startDevice(a)
				w.ask(a, here, here)
				return first.UserCode
			}},
			{"VCD-83 of a request that another one's redemption closed", func(w *world) string {
				a := w.newAccount()
				other := w.startDevice(a)
				w.activate(a)
				return other.UserCode
			}},
			{"R6 another organization's", func(w *world) string {
				n := w.neighbour()
				return n.startDevice(n.newAccount()).UserCode
			}},
			{"R6 of a deleted account", func(w *world) string {
				d := w.startDevice(w.newAccount())
				w.must(w.service.Delete(w.ctx(), w.admin, w.org, d.account.ID))
				return d.UserCode
			}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				w := newWorld(t, db)
				code := tt.code(w)
				for name, approve := range approvals(w) {
					err := approve(code)
					wantProblem(t, err, problem.UnknownUserCode)
					if p := problem.From(err); p.Detail != "No open access request has this user code." {
						t.Errorf("%s says which kind of unknown it is: %q", name, p.Detail)
					}
				}
			})
		}
	})
}

// wrong is code with its last character changed.
func wrong(code string) string {
	if strings.HasSuffix(code, "X") {
		return code[:8] + "W"
	}
	return code[:8] + "X"
}

func TestUserCode_VCD70_AsPeopleTypeIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		for name, typed := range map[string]func(code string) string{
			"as it was shown":      func(c string) string { return c },
			"lower case":           strings.ToLower,
			"without the dash":     func(c string) string { return strings.ReplaceAll(c, "-", "") },
			"lower case, spaces":   func(c string) string { return " " + strings.ToLower(strings.ReplaceAll(c, "-", " ")) + " " },
			"letter by letter":     func(c string) string { return strings.Join(strings.Split(c, ""), " ") },
			"from a word document": func(c string) string { return strings.ReplaceAll(c, "-", "–") + "\r\n" },
		} {
			t.Run(name, func(t *testing.T) {
				d := w.startDevice(w.newAccount())
				found, err := w.service.LookUp(w.ctx(), w.admin, w.snapshot(), typed(d.UserCode))
				wantProblem(t, err, "")
				if found.Account.ID != d.account.ID {
					t.Error("the wrong account was found")
				}
				wantProblem(t, w.service.Grant(w.ctx(), w.admin, w.snapshot(), typed(d.UserCode)), "")
				_, err = d.poll(0)
				wantProblem(t, err, "")
			})
		}
	})
}

func TestLookUp_VCD80_ShowsWhoAsks(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a := w.newAccount()
		w.startDevice(a)
		w.clock.add(time.Minute)
		d := w.startDeviceFrom(there, a)
		w.startDevice(w.newAccount())

		found, err := w.service.LookUp(w.ctx(), w.admin, w.snapshot(), d.UserCode)
		w.must(err)
		want := a
		want.Status = oauth.Requested
		if found.Account != want {
			t.Errorf("the account is %+v, want %+v", found.Account, want)
		}
		if found.RoleName != deployer {
			t.Errorf("the role is %q", found.RoleName)
		}
		// What the account could do, less what no machine may.
		if rights := []tenants.Right{viewCatalogs, addToCatalog}; !reflect.DeepEqual(found.Rights, rights) {
			t.Errorf("the rights are %q, want %q", found.Rights, rights)
		}
		if found.Parallel != 1 {
			t.Errorf("%d other requests are open, want 1", found.Parallel)
		}
		r := found.Request
		if r.Address != there || r.UserAgent != "app at "+there || !r.CreatedAt.Equal(w.clock.now()) || !r.ExpiresAt.Equal(w.clock.now().Add(d.ExpiresIn)) {
			t.Errorf("the request came from %s (%s) at %v and ends at %v", r.Address, r.UserAgent, r.CreatedAt, r.ExpiresAt)
		}
		if shown := fmt.Sprintf("%+v", found); strings.Contains(shown, d.UserCode) || strings.Contains(shown, d.DeviceCode) {
			t.Error("VCD-79: the administrator is shown a code")
		}
	})
}

// Nothing that administrators can read holds a code: who grants must have it
// from the app.
func TestUserCode_VCD79_OnlyTheAppHasIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		d := w.startDevice(w.newAccount())
		list, _, err := w.service.Accounts(w.ctx(), w.org, tenants.Query{Page: 1, PageSize: 10})
		w.must(err)
		d.decide(granted)
		one := w.account(d.account)
		seen := fmt.Sprintf("%+v %+v %+v", list, one, w.journal())
		for _, code := range []string{d.UserCode, strings.ReplaceAll(d.UserCode, "-", ""), d.DeviceCode} {
			if strings.Contains(seen, code) {
				t.Errorf("the code %s can be read without the app", code)
			}
		}
	})
}

// TestGrant_VCD78: of several requests exactly the one is granted whose user
// code was typed.
func TestGrant_VCD78(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a, other := w.newAccount(), w.newAccount()
		one, two, foreign := w.startDevice(a), w.startDevice(a), w.startDevice(other)
		two.decide(granted)
		_, err := one.poll(0)
		wantProblem(t, err, problem.AuthorizationPending)
		_, err = foreign.poll(0)
		wantProblem(t, err, problem.AuthorizationPending)
		w.wantStatus(other, oauth.Requested)

		tokens, err := two.poll(0)
		w.must(err)
		if tokens.Session.Principal != string(a.ID) {
			t.Error("the tokens are another account's")
		}
		one.decide(undecided)
		_, err = one.poll(time.Minute)
		wantProblem(t, err, problem.InvalidGrant) // closed with it
	})
}

func TestGrantAndDeny_AreRecorded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for name, tt := range map[string]struct {
			how    decision
			action journal.Action
		}{
			"VCD-81 R7 grant": {granted, journal.DeviceGranted},
			"VCD-82 R7 deny":  {denied, journal.DeviceDenied},
		} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, db)
				d := w.startDeviceFrom(there, w.newAccount())
				d.decide(tt.how)
				found := w.recorded(tt.action)
				if len(found) != 1 {
					t.Fatalf("%d rows, want 1", len(found))
				}
				row := found[0]
				if row.Actor != w.admin.Actor() || row.RequestID != w.admin.RequestID || row.Source != office {
					t.Errorf("done by %+v in %q from %q", row.Actor, row.RequestID, row.Source)
				}
				if row.Subject != (journal.Subject{Kind: journal.KindAccount, ID: string(d.account.ID), Name: d.account.Name}) || row.Detail["requester"] != there {
					t.Errorf("the row speaks of %+v, asked for from %q", row.Subject, row.Detail["requester"])
				}
			})
		}
	})
}

// Who grants must hold every right that the account would have.
func TestGrant_R7_NobodyGrantsWhatTheyLack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		d := w.startDevice(w.newAccount())
		wantProblem(t, w.service.Grant(w.ctx(), w.person(viewer), w.snapshot(), d.UserCode), problem.Forbidden)
		_, err := d.poll(0)
		wantProblem(t, err, problem.AuthorizationPending)
		if n := len(w.recorded(journal.DeviceGranted)); n != 0 {
			t.Errorf("%d grants were recorded", n)
		}
		wantProblem(t, w.service.Grant(w.ctx(), w.person(deployer), w.snapshot(), d.UserCode), "")
	})
}

// The administrator may look at the role, and another cell may change it before
// the grant.
func TestGrant_R7_JudgesTheRoleAsItIsNow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		reg := registration()
		reg.Scope = oauth.RoleScope(viewer)
		a, err := w.service.Register(w.ctx(), w.admin, w.snapshot(), reg)
		w.must(err)
		d, before := w.startDevice(a), w.snapshot()
		w.setRights(viewer, viewCatalogs, addToCatalog)
		err = w.service.Grant(w.ctx(), w.weak(), before, d.UserCode)
		wantProblem(t, err, problem.Forbidden)
	})
}

func TestGrant_VCD81_R2_OnceUnderRaces(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		org := w.snapshot()
		for range rounds(5, 100) {
			d := w.startDevice(w.newAccount())
			var grants, denials atomic.Int32
			together(8, func(i int) {
				answer, count := w.service.Grant, &grants
				if i%4 == 3 {
					answer, count = w.service.Deny, &denials
				}
				switch err := answer(w.ctx(), w.admin, org, d.UserCode); {
				case err == nil:
					count.Add(1)
				case !problem.Has(err, problem.UnknownUserCode):
					t.Error(err)
				}
			})
			if grants.Load()+denials.Load() != 1 {
				t.Fatalf("%d grants and %d denials of one request", grants.Load(), denials.Load())
			}
			_, err := d.poll(0)
			if want := problem.AccessDenied; denials.Load() == 1 {
				wantProblem(t, err, want)
			} else {
				wantProblem(t, err, "")
			}
		}
		if n, of := len(w.recorded(journal.DeviceGranted))+len(w.recorded(journal.DeviceDenied)), rounds(5, 100); n != of {
			t.Errorf("%d answers were recorded, want %d", n, of)
		}
	})
}

// Yes is said to what was shown, and to nothing else.
func TestGrantShown_R2_IsBoundToWhatWasShown(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a := w.newAccount()
		d := w.startDevice(a)
		found, err := w.service.LookUp(w.ctx(), w.admin, w.snapshot(), d.UserCode)
		w.must(err)
		w.setRights(deployer, viewCatalogs)
		_, err = w.service.GrantShown(w.ctx(), w.admin, w.snapshot(), d.UserCode, found.Shown())
		wantProblem(t, err, problem.Conflict)
		if n := len(w.recorded(journal.DeviceGranted)); n != 0 {
			t.Errorf("%d grants were recorded", n)
		}
		found, err = w.service.LookUp(w.ctx(), w.admin, w.snapshot(), d.UserCode)
		w.must(err)
		granted, err := w.service.GrantShown(w.ctx(), w.admin, w.snapshot(), d.UserCode, found.Shown())
		wantProblem(t, err, "")
		if granted != a.ID {
			t.Errorf("it was granted to %q", granted)
		}
	})
}
