package refusal_test

import (
	"fmt"
	"net/netip"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"causeway/internal/problem"
	"causeway/internal/refusal"
	"causeway/tenants"
)

func open() *disk {
	d := &disk{let: make(chan struct{})}
	close(d.let)
	return d
}

func user(org, id string) tenants.Principal {
	return tenants.Principal{Kind: tenants.KindUser, ID: id, Name: id, Org: tenants.OrgID(org)}
}

func stranger(org string) refusal.Outcome {
	o := outcome(problem.New(problem.InvalidGrant, "no"), tenants.Principal{}, "/oauth/provider/token")
	o.Org, o.Address, o.At = tenants.OrgID(org), netip.MustParseAddr("192.0.2.1"), time.Now()
	return o
}

// rowBytes is what a refusal takes on either database, with its indexes:
// TestRefusals_RowSize in package store.
const rowBytes = 700

// Whoever floods, for as long as refusals are usually kept, fills no more than a
// few gigabytes.
func TestRecorder_R13_NinetyDaysOfFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open()
		r := newRecorder(d)
		flood := func(users int) {
			for org := range 12 {
				for i := range users {
					o := denied(user(fmt.Sprint(org), fmt.Sprint(org, "-", i%5)))
					r.Record(t.Context(), o)
					r.Record(t.Context(), stranger(fmt.Sprint(org)))
					r.Note(refusal.Refusal{Org: o.Principal.Org, Actor: o.Refusal().Actor})
				}
			}
		}
		for range 130 { // until nothing is left of the bursts
			flood(10)
			synctest.Wait()
		}
		first := d.rows()
		for range 120 {
			flood(5)
			time.Sleep(time.Minute)
		}
		synctest.Wait()
		twoHours := d.rows() - first
		r.Stop(t.Context())
		if bytes := (first + 90*12*twoHours) * rowBytes; first < 20_000 || bytes > 5.5e9 {
			t.Errorf("%d rows at first, then %d in two hours: %d GB in 90 days", first, twoHours, bytes/1e9)
		}
		if s := r.Stats(); s.Dropped+s.Failed > 0 {
			t.Errorf("%+v", s)
		}
	})
}

// What is not kept one by one is counted where it happened, once a minute.
func TestRecorder_R7_SuppressedAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open()
		r := newRecorder(d)
		for i := range 700 {
			o := denied(jane)
			o.At, o.RequestID = time.Now(), fmt.Sprint(i)
			r.Record(t.Context(), o)
			time.Sleep(time.Millisecond)
		}
		r.Record(t.Context(), denied(user(string(jane.Org), "other")))
		if d.rows() != 501 {
			t.Fatalf("%d rows", d.rows())
		}
		for range 3 {
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		r.Stop(t.Context())
		if d.rows() != 502 || r.Stats().Suppressed != 200 {
			t.Fatalf("%d rows, %+v", d.rows(), r.Stats())
		}
		got := d.batches[len(d.batches)-1][0]
		if got.Code != refusal.Suppressed || got.Org != jane.Org || got.RequestID != "500" || got.Facts[refusal.FactCount] != "200" ||
			got.Facts[refusal.FactCode] != string(problem.Forbidden) || got.Facts[refusal.FactUntil] == "" {
			t.Errorf("%+v", got)
		}
	})
}

// Nobody hides what they were denied: neither one principal behind another of the
// organization, nor one organization behind another, nor anybody behind requests
// that make no sense, or behind strangers.
func TestRecorder_R7_NobodyHidesOthers(t *testing.T) {
	bad := func(who tenants.Principal) refusal.Outcome {
		return outcome(problem.New(problem.BadRequest, "bad"), who, "/x")
	}
	for _, tt := range []struct {
		name  string
		flood []refusal.Outcome
		then  refusal.Outcome
	}{
		{"a principal", []refusal.Outcome{denied(user("a", "1"))}, denied(user("a", "2"))},
		{"an organization", []refusal.Outcome{denied(user("a", "1")), denied(user("a", "2")), denied(user("a", "3")),
			denied(user("a", "4")), denied(user("a", "5"))}, denied(user("b", "6"))},
		{"one's own mistakes", []refusal.Outcome{bad(user("a", "1"))}, denied(user("a", "1"))},
		{"strangers", []refusal.Outcome{stranger("a"), stranger("a"), stranger("a")}, denied(user("a", "1"))},
		{"strangers at another door", []refusal.Outcome{stranger("a"), stranger("a"), stranger("a")}, stranger("b")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := open()
				r := newRecorder(d)
				for range 600 {
					for _, o := range tt.flood {
						r.Record(t.Context(), o)
					}
				}
				synctest.Wait()
				before := d.rows()
				r.Record(t.Context(), tt.then)
				synctest.Wait()
				if d.rows() != before+1 {
					t.Errorf("%d rows after %d", d.rows(), before)
				}
				r.Stop(t.Context())
			})
		})
	}
}

// With more principals and organizations than are told apart, each refusal is
// kept or counted.
func TestRecorder_R13_ManyKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open()
		r := newRecorder(d)
		for i := range 22_000 {
			r.Record(t.Context(), denied(user(strconv.Itoa(i), strconv.Itoa(i))))
		}
		r.Stop(t.Context())
		counted := 0
		for _, b := range d.batches {
			for _, one := range b {
				if one.Code == refusal.Suppressed {
					n, _ := strconv.Atoi(one.Facts[refusal.FactCount])
					counted += n - 1
				}
			}
		}
		if d.rows()+counted != 22_000 {
			t.Errorf("%d rows count for %d", d.rows(), d.rows()+counted)
		}
	})
}
