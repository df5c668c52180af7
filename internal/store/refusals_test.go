package store_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/refusal"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

func refusedAt(org tenants.OrgID, id string, at time.Time) refusal.Refusal {
	return refusal.Refusal{
		At: at, Org: org, RequestID: id, Actor: journal.Actor{Kind: "user", ID: "0e", Name: "jane", Org: string(org)},
		Address: "192.0.2.7", Method: "GET", Route: "/api/org", Status: 403, Code: "forbidden",
		Detail: refusal.Detail{Message: "no", Facts: map[string]string{"reason": "role"}},
	}
}

// What is kept is read again as it was, by its organization alone.
func TestRefusals_R6_R7(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := db.Refusals()
		own, other := newID[tenants.OrgID](), newID[tenants.OrgID]()
		first, second := refusedAt(own, "one", now), refusedAt(own, "two", now.Add(time.Second))
		strange := refusedAt(other, "three", now)
		strange.Actor.Name, strange.Route = "a\x00b\xffc", "'; DROP TABLE refusals; --"
		ok(t, s.AddRefusals(t.Context(), []refusal.Refusal{first, second, strange}))
		ok(t, s.View(t.Context(), func(r refusal.Reader) error {
			list, total, err := r.Refusals(own, tenants.Query{Page: 1, PageSize: 10})
			if err != nil || total != 2 || !reflect.DeepEqual(list, []refusal.Refusal{second, first}) {
				t.Errorf("%+v of %d, %v", list, total, err)
			}
			if found, err := r.Refusal(own, "one"); err != nil || !reflect.DeepEqual(found, first) {
				t.Errorf("%+v, %v", found, err)
			}
			if found, err := r.Refusal(other, "one"); !problem.Has(err, problem.NotFound) {
				t.Errorf("another organization reads %+v, %v", found, err)
			}
			if org, err := r.RefusalOrg("one"); err != nil || org != own {
				t.Errorf("%s, %v", org, err)
			}
			if _, err := r.RefusalOrg("none"); !problem.Has(err, problem.NotFound) {
				t.Errorf("nobody's: %v", err)
			}
			found, err := r.Refusal(other, "three")
			if err != nil || found.Actor.Name != "a\uFFFDb\uFFFDc" || found.Route != strange.Route {
				t.Errorf("%+v, %v", found, err)
			}
			return nil
		}))
	})
}

// A batch is one statement, which nobody's request is charged for, and all of it
// or nothing; a caller that has left does not end it.
func TestRefusals_OneStatement(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		org := newID[tenants.OrgID]()
		var batch []refusal.Refusal
		for i := range 256 {
			batch = append(batch, refusedAt(org, fmt.Sprint(i), now))
		}
		before, background := db.Statements(), db.BackgroundStatements()
		ok(t, db.Refusals().AddRefusals(t.Context(), batch))
		if n := db.BackgroundStatements() - background; n != 1 || db.Statements() != before {
			t.Errorf("%d statements, %d of them a request's", n, db.Statements()-before)
		}
		batch[200].Code = "" // which the schema refuses
		if err := db.Refusals().AddRefusals(t.Context(), batch); err == nil {
			t.Error("a row without a code was taken")
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		ok(t, db.Refusals().AddRefusals(ended, batch[:1]))
		ok(t, db.Refusals().View(t.Context(), func(r refusal.Reader) error {
			_, total, err := r.Refusals(org, tenants.Query{Page: 1, PageSize: 1})
			if total != 257 {
				t.Errorf("%d rows", total)
			}
			return err
		}))
	})
}

// A list counts and pages no further than it says: behind a flood, counting all
// would hold up whoever else reads.
func TestRefusals_R13_ListIsBounded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, org := db.Refusals(), newID[tenants.OrgID]()
		batch := make([]refusal.Refusal, refusal.Listed+50)
		for i := range batch {
			batch[i] = refusedAt(org, fmt.Sprint(i), now.Add(time.Duration(i)*time.Second))
		}
		ok(t, s.AddRefusals(t.Context(), batch))
		ok(t, s.View(t.Context(), func(r refusal.Reader) error {
			list, total, err := r.Refusals(org, tenants.Query{Page: 1, PageSize: 1})
			if err != nil || total != refusal.Listed || list[0].RequestID != fmt.Sprint(refusal.Listed+49) {
				t.Errorf("%+v of %d, %v", list, total, err)
			}
			_, total, err = r.Refusals(org, tenants.Query{Page: 1, PageSize: 1, Where: "at >= ?", Args: []any{now.Add(refusal.Listed * time.Second).UnixMicro()}})
			if err != nil || total != 50 {
				t.Errorf("%d in a window of 50, %v", total, err)
			}
			if list, _, err = r.Refusals(org, tenants.Query{Page: refusal.Listed / 100, PageSize: 100}); err != nil || len(list) != 100 {
				t.Errorf("the last page has %d, %v", len(list), err)
			}
			// Who pages through fewer learns that there are more, and no page is behind them.
			few := tenants.Query{Page: 2, PageSize: 20, Most: 40}
			if list, total, err = r.Refusals(org, few); err != nil || len(list) != 20 || total != 41 || list[19].RequestID != fmt.Sprint(refusal.Listed+10) {
				t.Errorf("the last page of 40 has %d of %d, %v", len(list), total, err)
			}
			few.Page = 3
			if _, _, err = r.Refusals(org, few); !problem.Has(err, problem.BadRequest) {
				t.Errorf("behind the last page of 40: %v", err)
			}
			if _, _, err = r.Refusals(org, tenants.Query{Page: refusal.Listed/100 + 1, PageSize: 100}); !problem.Has(err, problem.BadRequest) {
				t.Errorf("behind the last page: %v", err)
			}
			return nil
		}))
	})
}

// What a flood may take of the disk is reckoned with 700 bytes for each
// (TestRecorder_R13_NinetyDaysOfFlood in package refusal).
func TestRefusals_R13_RowSize(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		size := map[string]string{
			"sqlite":   "SELECT (SELECT page_count FROM pragma_page_count()) * (SELECT page_size FROM pragma_page_size())",
			"postgres": "SELECT pg_total_relation_size('refusals')",
		}
		measure := func() (n int) {
			for _, query := range size {
				if db.SQL().QueryRow(query).Scan(&n) == nil {
					return n
				}
			}
			t.Fatal("no database tells its size")
			return 0
		}
		before := measure()
		const count = 5000
		batch := make([]refusal.Refusal, count)
		for i := range batch {
			batch[i] = refusedAt(newID[tenants.OrgID](), newID[string](), now)
			batch[i].Actor.ID, batch[i].Address, batch[i].Route = newID[string](), "2001:db8::17", "/cloudapi/1.0.0/serviceAccounts/:id"
			batch[i].Message = "The request needs a right that the role does not have."
			batch[i].Facts = map[string]string{"reason": "role", "rights": "Service Accounts: Manage", "role": "Inventory Auditor", "roleOrganization": "acme"}
		}
		ok(t, db.Refusals().AddRefusals(t.Context(), batch))
		if bytes := (measure() - before) / count; bytes < 200 || bytes > 700 {
			t.Errorf("%d bytes a row", bytes)
		}
	})
}
