package gateway_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"causeway/internal/benchtest"
	"causeway/internal/dev"
	"causeway/internal/journal"
	"causeway/internal/sitetest"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// BenchmarkRefresh measures refreshes of service accounts through the whole
// gateway, by 16 clients on kept connections, in turns with the bare rotation of
// the same database. x-bare is the ratio of their rates, cpu-µs the gateway's own
// processor time for one, p50-ms and p99-ms what clients wait. Those named watermark
// are of a site that keeps one, beside its database. On PostgreSQL it means something
// under pgrun -durable only, as make bench has it.
func BenchmarkRefresh(b *testing.B) {
	for _, kind := range []storetest.Kind{storetest.SQLite, storetest.Postgres} {
		b.Run(string(kind), func(b *testing.B) { benchRefresh(b, kind, benchSite(b, kind)) })
		b.Run(string(kind)+"/watermark", func(b *testing.B) {
			s := benchSite(b, kind)
			s.mark(b, kind)
			benchRefresh(b, kind, s)
		})
	}
}

func benchRefresh(b *testing.B, kind storetest.Kind, s *benched) {
	yard := yardstick(b, kind)
	bodies := make([]string, yardClients)
	for i := range bodies {
		bodies[i] = refreshForm + s.tokens[i]
	}
	client := benchtest.Launch(b, benchtest.Plan{
		Addr: s.addr, Path: "/oauth/tenant/acme/token", Bodies: bodies, Follow: true, Form: refreshForm, Status: http.StatusOK,
	})
	client.Run(b, 300*time.Millisecond) // warm
	var rate, bare, cpu, all, bareAll, p50, p99 benchtest.Series
	spent := func() time.Duration {
		return benchtest.Processor() + benchtest.Family(client.PID) + benchtest.Family(yard.server)
	}
	benchtest.Turns(b, func() {
		before := spent()
		n := yard.run(b, benchtest.Turn)
		bareAll.Add(share(spent()-before, n))
		bare.Add(float64(n) / benchtest.Turn.Seconds())
		before, own := spent(), benchtest.Processor()
		r := client.Run(b, benchtest.Turn)
		all.Add(share(spent()-before, r.Requests))
		cpu.Add(share(benchtest.Processor()-own, r.Requests))
		rate.Add(r.Rate())
		p50.Add(r.P50.Seconds() * 1000)
		p99.Add(r.P99.Seconds() * 1000)
	})
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(rate.Per(bare), "x-bare")
	b.ReportMetric(bareAll.Per(all), "x-bare-cpu")
	b.ReportMetric(bareAll.Median(), "bare-cpu-µs")
	b.ReportMetric(all.Median(), "all-cpu-µs")
	b.ReportMetric(rate.Median(), "refreshes/s")
	b.ReportMetric(bare.Median(), "bare/s")
	b.ReportMetric(cpu.Median(), "cpu-µs")
	b.ReportMetric(p50.Median(), "p50-ms")
	b.ReportMetric(p99.Median(), "p99-ms")
}

// share is processor time for one of n, in microseconds.
func share(spent time.Duration, n int) float64 { return float64(spent.Microseconds()) / float64(n) }

const refreshForm = "grant_type=refresh_token&refresh_token="

// benched is the site west behind a plaintext listener, with many accounts in its
// organization acme.
type benched struct {
	*sitetest.Pair
	addr   string
	org    tenants.OrgID
	tokens []string // refresh tokens of service accounts
}

// benchAccounts is how many there are, so that no table fits into a page.
const benchAccounts = 10_000

// mark has the site keep a watermark, in a database of the same kind.
func (s *benched) mark(b *testing.B, kind storetest.Kind) {
	w, err := store.OpenWatermark(b.Context(), storetest.EmptyURL(b, kind))
	must(b, err)
	b.Cleanup(func() { _ = w.Close() })
	must(b, w.Begin(b.Context()))
	db := s.Site("west").DB()
	must(b, db.Tenants().InTx(b.Context(), func(tx tenants.Tx) error {
		return tx.Record(store.WatermarkEntry(time.Now(), journal.System, journal.WatermarkBegan, w.ID()))
	}))
	if kept, err := db.KeepMarks(b.Context(), w); err != nil || !kept {
		b.Fatal(kept, err)
	}
}

func benchSite(b *testing.B, kind storetest.Kind) *benched {
	s := &benched{Pair: sitetest.Start(b, kind, func(o *dev.Options) { o.Site = "west" })}
	site := s.Site("west")
	acme, err := site.Directory().ByName(b.Context(), "acme")
	must(b, err)
	s.org = acme.ID
	role := tenants.RoleID(tenants.NewID())
	load := store.Bulk{Roles: []tenants.Role{{ID: role, Org: acme.ID, Name: "Bench"}}}
	now := time.Now()
	for i := range benchAccounts {
		a := oauth.ServiceAccount{ID: oauth.ClientID(tenants.NewID()), Org: acme.ID, Name: fmt.Sprintf("bench-%05d", i), SoftwareID: tenants.NewID(), Role: role, CreatedAt: now}
		token := fmt.Sprintf("bench%027d", i)
		load.Accounts = append(load.Accounts, a)
		load.Families = append(load.Families, oauth.Family{
			ID: tenants.NewID(), Org: acme.ID, Account: a.ID, Current: site.Keys().Digest("refresh-token", token), CreatedAt: now,
		})
		s.tokens = append(s.tokens, token)
	}
	ctx := context.Background()
	must(b, site.DB().Load(ctx, load))
	must(b, site.DB().Settle(ctx))
	gate := httptest.NewServer(site.Public())
	b.Cleanup(gate.Close)
	s.addr = gate.Listener.Addr().String()
	return s
}
