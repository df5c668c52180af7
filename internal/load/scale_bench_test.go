package load_test

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/oauth"
	"causeway/tenants"
)

// scale is how many organizations the large site of BenchmarkScale has.
func scale(b *testing.B) int {
	text := os.Getenv("CAUSEWAY_SCALE")
	if text == "" {
		return 300
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < smallSite {
		b.Fatalf("CAUSEWAY_SCALE is a number of organizations, at least %d", smallSite)
	}
	return n
}

// smallSite is what the large one is compared with. So many organizations are
// also asked for in turn at either: what they cost cold is another measure.
const smallSite = 10

// flat is how much slower a large site may be.
const flat = 1.3

// BenchmarkScale asks two sites the same, a small and a large one, in turns, and
// reports the median of the ratios as x-small. It fails if that is above flat.
// CAUSEWAY_SCALE=10000 makes the large site one of a million accounts.
func BenchmarkScale(b *testing.B) {
	large := scale(b)
	sites := [2]*sampled{sample(b, smallSite), sample(b, large)}
	for _, c := range scaleCalls {
		b.Run(c.name, func(b *testing.B) { compare(b, sites, c.do) })
	}
}

// sampled is a site with the organizations of it that are asked for.
type sampled struct {
	*trial
	provider string // a token
	orgs     []orgSample
}

type orgSample struct {
	tenants.Organization
	token   string
	account oauth.ServiceAccount
	user    tenants.User
}

func sample(b *testing.B, organizations int) *sampled {
	s := &sampled{trial: start(b, configure(b, organizations))}
	s.provider = s.login(b, tenants.SystemOrgName)
	view(b, s.DB(), func(r tenants.Reader, o oauth.Reader) error {
		all, err := r.Organizations()
		if err != nil {
			return err
		}
		all = all[1:]
		for i := range smallSite {
			org := orgSample{Organization: all[i*len(all)/smallSite]}
			if org.user, err = r.UserByName(org.ID, "carmen.moreau", time.Now()); err != nil {
				return err
			}
			if org.account, err = o.ServiceAccountByName(org.ID, "backup-agent-56", time.Now()); err != nil {
				return err
			}
			s.orgs = append(s.orgs, org)
		}
		return nil
	})
	for i := range s.orgs {
		s.orgs[i].token = s.login(b, s.orgs[i].Name)
	}
	return s
}

// scaleCalls are what must stay flat.
var scaleCalls = []struct {
	name string
	do   func(b *testing.B, s *sampled, org *orgSample)
}{
	{"accounts/page", func(b *testing.B, s *sampled, org *orgSample) {
		wantValues(b, s.get(b, "/cloudapi/1.0.0/serviceAccounts?page=2&pageSize=32", org.token), 32, 100)
	}},
	{"accounts/id", func(b *testing.B, s *sampled, org *orgSample) {
		s.get(b, "/cloudapi/1.0.0/serviceAccounts/"+string(org.account.ID), org.token)
	}},
	{"accounts/name", func(b *testing.B, s *sampled, org *orgSample) {
		wantValues(b, s.get(b, "/cloudapi/1.0.0/serviceAccounts?filter=name==backup-agent-56", org.token), 1, 1)
	}},
	{"accounts/status", func(b *testing.B, s *sampled, org *orgSample) {
		wantValues(b, s.get(b, "/cloudapi/1.0.0/serviceAccounts?filter=status==REQUESTED", org.token), 10, 10)
	}},
	{"accounts/idByProvider", func(b *testing.B, s *sampled, org *orgSample) {
		s.get(b, "/cloudapi/1.0.0/serviceAccounts/"+string(org.account.ID), s.provider)
	}},
	{"users/page", func(b *testing.B, s *sampled, org *orgSample) {
		wantValues(b, s.get(b, "/cloudapi/1.0.0/users?page=2&pageSize=5", org.token), 5, 10)
	}},
	{"users/id", func(b *testing.B, s *sampled, org *orgSample) {
		s.get(b, "/cloudapi/1.0.0/users/"+string(org.user.ID), org.token)
	}},
	{"users/name", func(b *testing.B, s *sampled, org *orgSample) {
		wantValues(b, s.get(b, "/cloudapi/1.0.0/users?filter=username=="+org.user.Name, org.token), 1, 1)
	}},
	{"users/query", func(b *testing.B, s *sampled, org *orgSample) {
		s.get(b, "/api/query?type=user&filter=name=="+org.user.Name, org.token)
	}},
	{"roles/page", func(b *testing.B, s *sampled, org *orgSample) {
		s.get(b, "/cloudapi/1.0.0/roles?pageSize=25", org.token)
	}},
	{"orgs/own", func(b *testing.B, s *sampled, org *orgSample) {
		wantValues(b, s.get(b, "/cloudapi/1.0.0/orgs", org.token), 1, 1)
	}},
	{"orgs/page", func(b *testing.B, s *sampled, org *orgSample) {
		s.get(b, "/cloudapi/1.0.0/orgs?page=1&pageSize=10", s.provider)
	}},
	{"orgs/id", func(b *testing.B, s *sampled, org *orgSample) {
		s.get(b, "/cloudapi/1.0.0/orgs/"+string(org.ID), s.provider)
	}},
	{"orgs/name", func(b *testing.B, s *sampled, org *orgSample) {
		wantValues(b, s.get(b, "/cloudapi/1.0.0/orgs?filter=name=="+org.Name, s.provider), 1, 1)
	}},
	{"orgs/query", func(b *testing.B, s *sampled, org *orgSample) {
		s.get(b, "/api/query?type=organization&filter=name=="+org.Name, s.provider)
	}},
	{"login/whole", func(b *testing.B, s *sampled, org *orgSample) { s.login(b, org.Name) }},
	{"login/withoutHash", withoutHash},
	{"organization/cold", func(b *testing.B, s *sampled, org *orgSample) {
		s.Directory().Flush()
		if _, err := s.Directory().ByName(b.Context(), org.Name); err != nil {
			b.Fatal(err)
		}
	}},
}

// withoutHash is a login but for argon2, which would drown the rest.
func withoutHash(b *testing.B, s *sampled, org *orgSample) {
	snapshot, err := s.Directory().ByName(b.Context(), org.Name)
	if err != nil {
		b.Fatal(err)
	}
	var u tenants.User
	view(b, s.DB(), func(r tenants.Reader, _ oauth.Reader) error {
		if u, err = r.UserByName(org.ID, org.user.Name, time.Now()); err != nil {
			return err
		}
		if _, err := r.LoginFailures(org.ID, u.ID, "192.0.2.1"); !problem.Has(err, problem.NotFound) {
			b.Fatal(err)
		}
		return nil
	})
	if _, err := s.OAuth().OpenSession(b.Context(), tenants.Caller{}, snapshot, u); err != nil {
		b.Fatal(err)
	}
}

func wantValues(b *testing.B, w *httptest.ResponseRecorder, values, total int) {
	var page struct {
		ResultTotal int
		Values      []json.RawMessage
	}
	if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || len(page.Values) != values || page.ResultTotal != total {
		b.Fatalf("%d values of %d, want %d of %d (%v)\n%s", len(page.Values), page.ResultTotal, values, total, err, w.Body)
	}
}

// compare times both sites in turns, so that what else the machine does hits
// both alike, and takes the median of the ratios of the rounds.
func compare(b *testing.B, sites [2]*sampled, call func(*testing.B, *sampled, *orgSample)) {
	var took [2][]float64
	var ratios []float64
	round := func(i int) {
		var now [2]time.Duration
		for j := range sites {
			which := (i + j) % 2
			s := sites[which]
			begun := time.Now()
			call(b, s, &s.orgs[i%len(s.orgs)])
			now[which] = time.Since(begun)
			took[which] = append(took[which], now[which].Seconds()*1e6)
		}
		ratios = append(ratios, float64(now[1])/float64(now[0]))
	}
	for i := range warmUp {
		round(i)
	}
	took, ratios = [2][]float64{}, nil
	i := 0
	for b.Loop() {
		round(i)
		i++
	}
	small, large, ratio := median(took[0]), median(took[1]), median(ratios)
	b.ReportMetric(0, "ns/op") // of two sites together says nothing
	b.ReportMetric(small, "µs-small")
	b.ReportMetric(large, "µs-large")
	b.ReportMetric(ratio, "x-small")
	if ratio > flat && i >= enough {
		b.Errorf("%.2f times as slow at the large site (%.0f µs, small %.0f µs, %d rounds); at most %.1f is flat", ratio, large, small, i, flat)
	}
}

const (
	warmUp = 8 * smallSite // each connection has its plans
	enough = 100           // rounds; fewer say nothing
)

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}
