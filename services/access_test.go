package services

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
	"causeway/tenants"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const (
	acme   tenants.OrgID = "11111111-1111-4111-8111-111111111111"
	client string        = "deployer"
)

// kept is a store of what Access reads.
type kept struct {
	Reader
	definitions map[DefinitionID]Definition
	held        map[Holder]Held
	custom      []CustomRole
	accounts    []InstanceAccount
	reads       int
}

func (k *kept) View(_ context.Context, f func(Reader) error) error { k.reads++; return f(k) }
func (k *kept) InTx(context.Context, func(Tx) error) error         { panic("nothing is written") }

func (k *kept) Definition(id DefinitionID) (Definition, error) { return k.definitions[id], nil }

func (k *kept) Held(org tenants.OrgID, h Holder) (Held, error) {
	found, ok := k.held[h]
	if !ok || found.Org != org {
		return Held{}, problem.Hidden()
	}
	return found, nil
}

func (k *kept) CustomRoles(tenants.OrgID) ([]CustomRole, error)               { return k.custom, nil }
func (k *kept) LiveAccounts(tenants.OrgID, Holder) ([]InstanceAccount, error) { return k.accounts, nil }

// scene is one holder and one instance.
type scene struct {
	*kept
	access *Access
	in     *ServiceInstance
}

func newScene(t testing.TB, d Definition) *scene {
	t.Helper()
	k := &kept{definitions: map[DefinitionID]Definition{d.ID: d}, held: map[Holder]Held{}}
	a, err := NewAccess(k, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return &scene{k, a, &ServiceInstance{ID: "i1", Org: acme, Definition: d.ID, Name: "observability", Mode: Onboarded}}
}

var (
	theApp  = Holder{Kind: tenants.KindApp, ID: client}
	theUser = Holder{Kind: tenants.KindUser, ID: "u1"}
)

func (h Holder) principal() tenants.Principal {
	return tenants.Principal{Kind: h.Kind, ID: h.ID, Org: acme, Via: h.Site}
}

// give replaces what a holder has, as a change of it would.
func (s *scene) give(h Holder, grants ...Grant) {
	s.held[h] = Held{Holder: h, Org: acme, Name: "Deployer", Grants: grants}
	kind := journal.KindUser
	if h.Kind == tenants.KindApp {
		kind = journal.KindApp
	}
	s.access.Apply(journal.Row{Entry: journal.Entry{Org: string(acme), Action: journal.RolesGranted, Subject: journal.Subject{Kind: kind, ID: h.ID}}})
}

func (s *scene) role(name string) Grant {
	return Grant{Kind: GrantService, Definition: s.in.Definition, Role: name}
}

func (s *scene) judge(t testing.TB, h Holder, method, path string) (Verdict, error) {
	t.Helper()
	return s.access.Judge(t.Context(), h.principal(), s.in, method, path, now)
}

func (s *scene) wantJudged(t *testing.T, h Holder, method, path string, want bool) {
	t.Helper()
	_, err := s.judge(t, h, method, path)
	if err == nil != want || err != nil && !problem.Has(err, problem.Forbidden) {
		t.Errorf("%s %s by %s: %v; want it to pass: %v", method, path, h.Kind, err, want)
	}
}

// example is a path that fits a route.
func example(path string) string {
	return strings.NewReplacer("{id}", "7", "*", "a/b").Replace(path)
}

// Each route of the definition that ships with us, and each of the sixteen
// permissions, both ways: an app passes with the permission that the route names, and
// with no other one.
func TestJudge_CSP_8_EachPermissionOpensItsOwnRoutes(t *testing.T) {
	t.Parallel()
	s := newScene(t, operations(t))
	d := operations(t)
	guarded := map[Permission]int{}
	for _, p := range d.Permissions {
		s.give(theApp, s.role(string(p.Name)))
		for _, r := range d.Routes {
			for _, m := range r.Methods {
				s.wantJudged(t, theApp, m, example(r.Path), r.Permission == p.Name)
			}
			if r.Permission == p.Name {
				guarded[p.Name]++
			}
		}
	}
	s.give(theApp, s.role("aoa:superAdmin"))
	for _, r := range d.Routes {
		s.wantJudged(t, theApp, r.Methods[0], example(r.Path), r.Permission != "")
	}
	// A reduction opens nothing; the instance is told of it.
	for _, p := range d.Permissions {
		if reduces := p.Name == "aoa:batchQueryPriority"; (guarded[p.Name] == 0) != reduces {
			t.Errorf("%s guards %d routes", p.Name, guarded[p.Name])
		}
	}
	s.give(theApp, s.role("aoa:batchQueryPriority"), s.role("aoa:metrics"))
	if v, err := s.judge(t, theApp, "GET", "/api/v2/chart/api"); err != nil || v.Effect.Permissions != "aoa:batchQueryPriority aoa:metrics" {
		t.Errorf("it is told of %v, %v", v.Effect, err)
	}
}

func TestJudge_CSP_4_DashboardsAndAlerts(t *testing.T) {
	t.Parallel()
	s := newScene(t, operations(t))
	for role, path := range map[string]string{"aoa:dashboards": "/api/v2/dashboard", "aoa:alerts": "/api/v2/alert"} {
		for _, held := range []string{role, "aoa:viewer"} {
			s.give(theApp, s.role(held))
			s.wantJudged(t, theApp, "POST", path, held == role)
			s.wantJudged(t, theApp, "PUT", path+"/7", held == role)
			s.wantJudged(t, theApp, "DELETE", path+"/7", held == role)
		}
	}
}

// What people do by default an app cannot (CSP-5): each route of it, by both.
func TestJudge_CSP_5_DefaultTasksAreForPeople(t *testing.T) {
	t.Parallel()
	s := newScene(t, operations(t))
	s.give(theApp, s.role("aoa:viewer"))
	s.give(theUser, s.role("aoa:viewer"))
	token := Holder{Kind: tenants.KindAPIToken, ID: theUser.ID}
	tasks := 0
	for _, r := range operations(t).Routes {
		for _, m := range r.Methods {
			s.wantJudged(t, theApp, m, example(r.Path), false)
			s.wantJudged(t, theUser, m, example(r.Path), r.People)
			s.wantJudged(t, token, m, example(r.Path), r.People)
		}
		if r.People {
			tasks++
		}
	}
	if tasks < 20 {
		t.Errorf("only %d routes are default tasks", tasks)
	}
	s.give(theUser)
	s.wantJudged(t, theUser, "GET", "/api/v2/dashboard", false)
}

func TestJudge_CSP_9_QueriesNeedMetrics(t *testing.T) {
	t.Parallel()
	s := newScene(t, operations(t))
	s.custom = []CustomRole{{Org: acme, Name: "reader", Permissions: []ServicePermission{{s.in.Definition, "aoa:metrics"}}}}
	custom, viewer := Grant{Kind: GrantCustom, Role: "reader"}, s.role("aoa:viewer")
	for _, tt := range []struct {
		name   string
		grants []Grant
		want   bool
	}{
		{"nothing", nil, false},
		{"the role Metrics", []Grant{s.role("aoa:metrics")}, true},
		{"another role", []Grant{s.role("aoa:proxies")}, false},
		{"a custom role beside Viewer", []Grant{custom, viewer}, true},
		{"a custom role without a service role", []Grant{custom}, false},
	} {
		s.give(theApp, tt.grants...)
		if _, err := s.judge(t, theApp, "GET", "/api/v2/chart/api"); (err == nil) != tt.want {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestJudge_CSP_28_ProxiesAlone(t *testing.T) {
	t.Parallel()
	s := newScene(t, operations(t))
	s.give(theApp, s.role("aoa:proxies"))
	for _, path := range []string{"/api/v2/cloudintegration", "/api/v2/proxy/7", "/api/v2/cloudintegration/7/enable"} {
		s.wantJudged(t, theApp, "POST", path, true)
	}
	// CSP-6: what a proxy itself calls.
	s.wantJudged(t, theApp, "POST", "/api/v2/wfproxy/checkin", true)
	s.wantJudged(t, theApp, "POST", "/api/daemon/7/checkin", true)
	for _, path := range []string{"/api/v2/dashboard", "/api/v2/alert", "/report"} {
		s.wantJudged(t, theApp, "POST", path, false)
	}
	s.wantJudged(t, theApp, "GET", "/api/v2/chart/api", false)
}

func TestJudge_CSP_3_OriginalInstancesTakeNoApps(t *testing.T) {
	t.Parallel()
	s := newScene(t, operations(t))
	s.in.Mode = Original
	s.give(theApp, s.role("aoa:superAdmin"))
	s.give(theUser, s.role("aoa:dashboards"))
	_, err := s.judge(t, theApp, "GET", "/api/v2/dashboard")
	if p := problem.As(err); p == nil || p.Code != problem.Forbidden || !strings.Contains(p.Detail, "/service-accounts") {
		t.Errorf("the app was answered %v", err)
	}
	s.wantJudged(t, theUser, "GET", "/api/v2/dashboard", true)
}

func TestJudge_CSP_16_AnotherOrganizationsInstance(t *testing.T) {
	t.Parallel()
	s := newScene(t, operations(t))
	s.give(theApp, s.role("aoa:superAdmin"))
	for _, org := range []tenants.OrgID{"22222222-2222-4222-8222-222222222222", tenants.SystemOrgID} {
		who := theApp.principal()
		who.Org = org
		if _, err := s.access.Judge(t.Context(), who, s.in, "GET", "/api/v2/dashboard", now); !problem.Has(err, problem.Forbidden) {
			t.Errorf("who is of %s was answered %v", org, err)
		}
	}
	who := tenants.Principal{Kind: tenants.KindServiceAccount, ID: client, Org: acme}
	if _, err := s.access.Judge(t.Context(), who, s.in, "GET", "/api/v2/dashboard", now); !problem.Has(err, problem.Forbidden) {
		t.Errorf("a service account was answered %v", err)
	}
}

// An app of another site is another holder than one of ours with the same id.
func TestJudge_R6_AppsOfOtherSites(t *testing.T) {
	t.Parallel()
	s := newScene(t, operations(t))
	abroad := Holder{Kind: tenants.KindApp, Site: "west", ID: client}
	s.give(theApp, s.role("aoa:dashboards"))
	s.wantJudged(t, abroad, "GET", "/api/v2/dashboard", false)
	s.give(abroad, s.role("aoa:alerts"))
	s.wantJudged(t, abroad, "GET", "/api/v2/alert", true)
	s.wantJudged(t, theApp, "GET", "/api/v2/alert", false)
}

// The refusal tells the audit trail what decided.
func TestJudge_SaysWhy(t *testing.T) {
	t.Parallel()
	s := newScene(t, operations(t))
	for _, tt := range []struct {
		grants             []Grant
		path               string
		reason, permission string
	}{
		{nil, "/api/v2/dashboard", problem.ReasonNoServiceRole, ""},
		{[]Grant{s.role("aoa:viewer")}, "/api/v2/dashboard", problem.ReasonPermission, "aoa:dashboards"},
		{[]Grant{s.role("aoa:superAdmin")}, "/api/v2/savedsearch", problem.ReasonMachine, ""},
		{[]Grant{s.role("aoa:superAdmin")}, "/api/v3/dashboard", problem.ReasonNoRouteRight, ""},
	} {
		s.give(theApp, tt.grants...)
		_, err := s.judge(t, theApp, "GET", tt.path)
		p := problem.As(err)
		if p == nil || p.Facts[problem.FactReason] != tt.reason || p.Facts[problem.FactPermission] != tt.permission || p.Facts[problem.FactInstance] != "i1" {
			t.Errorf("%s: %v %v", tt.path, err, p.Facts)
		}
	}
}

// A grant that ends counts until then, and what is remembered of it no longer.
func TestJudge_R4_GrantsEnd(t *testing.T) {
	t.Parallel()
	s := newScene(t, operations(t))
	g := s.role("aoa:dashboards")
	g.ExpiresAt = now.Add(time.Minute)
	s.give(theApp, g, s.role("aoa:viewer"))
	at := func(when time.Time) bool {
		_, err := s.access.Judge(t.Context(), theApp.principal(), s.in, "GET", "/api/v2/dashboard", when)
		return err == nil
	}
	if !at(now) || !at(g.ExpiresAt.Add(-1)) {
		t.Error("it does not count while it lasts")
	}
	if at(g.ExpiresAt) || at(g.ExpiresAt.Add(time.Hour)) {
		t.Error("it counts when it is over")
	}
}

// What is remembered is forgotten when the journal names what it was made of.
func TestAccess_R4_FollowsTheJournal(t *testing.T) {
	t.Parallel()
	d := operations(t)
	for _, subject := range []journal.Subject{
		{Kind: journal.KindApp, ID: client}, {Kind: journal.KindCustomRole, ID: "any"}, {Kind: journal.KindDefinition, ID: string(d.ID)},
		{Kind: journal.KindServiceInstance, ID: "i1"}, {Kind: journal.KindOrganization, ID: string(acme)}, {Kind: journal.KindInstanceAccount, ID: "a1"},
	} {
		s := newScene(t, d)
		s.give(theApp, s.role("aoa:dashboards"))
		s.wantJudged(t, theApp, "GET", "/api/v2/dashboard", true)
		reads := s.reads
		s.wantJudged(t, theApp, "GET", "/api/v2/dashboard", true)
		if s.reads != reads {
			t.Errorf("%s: a warm call read %d times", subject.Kind, s.reads-reads)
		}
		s.access.Apply(journal.Row{Entry: journal.Entry{Org: string(acme), Subject: subject, Detail: map[string]string{detailInstance: "i1"}}})
		s.wantJudged(t, theApp, "GET", "/api/v2/dashboard", true)
		if s.reads == reads {
			t.Errorf("%s: it was not read again", subject.Kind)
		}
		other := s.reads
		s.access.Apply(journal.Row{Entry: journal.Entry{Org: "other", Subject: journal.Subject{Kind: subject.Kind, ID: "other"}, Detail: map[string]string{detailInstance: "i2"}}})
		s.wantJudged(t, theApp, "GET", "/api/v2/dashboard", true)
		if s.reads != other {
			t.Errorf("%s: another's change had it read again", subject.Kind)
		}
		s.access.Flush()
		s.wantJudged(t, theApp, "GET", "/api/v2/dashboard", true)
		if s.reads == other {
			t.Errorf("%s: it outlived a flush", subject.Kind)
		}
	}
}

// model is effective permissions as the requirement puts it, one sentence at a time.
func model(d Definition, h Held, custom []CustomRole, in InstanceID) map[Permission]bool {
	roles, found := map[string]bool{}, map[Permission]bool{}
	for _, g := range h.Grants {
		live := g.ExpiresAt.IsZero() || g.ExpiresAt.After(now)
		here := g.Resource == "" || g.Resource == string(in)
		allowed := h.Ceiling == nil
		if h.Ceiling != nil {
			for _, c := range h.Ceiling.Services {
				for _, r := range c.Roles {
					if c.Definition == d.ID && r.Name == g.Role && (r.Resource == "" || r.Resource == string(in)) {
						allowed = true
					}
				}
				if c.Definition == d.ID && c.All {
					allowed = true
				}
			}
		}
		if g.Kind == GrantService && g.Definition == d.ID && live && here && allowed {
			roles[g.Role] = true
		}
	}
	holds := false
	for _, r := range d.Roles {
		if roles[r.Name] {
			holds = true
			for _, p := range d.Permissions {
				if r.All || slices.Contains(r.Permissions, p.Name) {
					found[p.Name] = true
				}
			}
		}
	}
	if !holds {
		return map[Permission]bool{}
	}
	for _, c := range custom {
		for _, g := range h.Grants {
			if g.Kind == GrantCustom && g.Role == c.Name && (g.ExpiresAt.IsZero() || g.ExpiresAt.After(now)) {
				for _, p := range c.Permissions {
					if p.Definition == d.ID && slices.ContainsFunc(d.Permissions, func(i PermissionInfo) bool { return i.Name == p.Permission }) {
						found[p.Permission] = true
					}
				}
			}
		}
	}
	return found
}

// chance draws small worlds: few names, so that everything meets everything.
type chance struct{ *rand.Rand }

func (c chance) name(prefix string, n int) string { return fmt.Sprint(prefix, c.IntN(n)) }

func (c chance) permission() Permission { return Permission(c.name("x:p", 70)) }

func (c chance) definition(id DefinitionID) Definition {
	d := Definition{ID: id, Prefix: "x"}
	for i := range 70 { // more than one word of a set
		d.Permissions = append(d.Permissions, PermissionInfo{Name: Permission(fmt.Sprint("x:p", i))})
	}
	for i := range 5 {
		r := ServiceRole{Name: fmt.Sprint("x:r", i), All: c.IntN(20) == 0}
		for range c.IntN(4) {
			r.Permissions = append(r.Permissions, c.permission())
		}
		d.Roles = append(d.Roles, r)
	}
	return d
}

func (c chance) expiry() time.Time {
	return []time.Time{{}, {}, now.Add(time.Hour), now, now.Add(-time.Hour)}[c.IntN(5)]
}

func (c chance) resource() string { return []string{"", "i1", "i2", "i3"}[c.IntN(4)] }

func (c chance) held() Held {
	h := Held{Holder: theApp, Org: acme}
	for range c.IntN(6) {
		g := Grant{Kind: GrantService, Definition: DefinitionID(c.name("d", 2)), Role: c.name("x:r", 7), Resource: c.resource(), ExpiresAt: c.expiry()}
		if c.IntN(3) == 0 {
			g = Grant{Kind: GrantCustom, Role: c.name("c", 4), ExpiresAt: c.expiry()}
		}
		h.Grants = append(h.Grants, g)
	}
	if c.IntN(2) == 0 {
		return h
	}
	h.Ceiling = &Ceiling{}
	for range c.IntN(3) {
		s := ServiceCeiling{Definition: DefinitionID(c.name("d", 2)), All: c.IntN(5) == 0}
		for range c.IntN(6) {
			s.Roles = append(s.Roles, ScopedRole{c.name("x:r", 5), c.resource()})
		}
		h.Ceiling.Services = append(h.Ceiling.Services, s)
	}
	return h
}

func (c chance) custom() (roles []CustomRole) {
	for i := range 3 {
		r := CustomRole{Org: acme, Name: fmt.Sprint("c", i)}
		for range 1 + c.IntN(3) {
			r.Permissions = append(r.Permissions, ServicePermission{DefinitionID(c.name("d", 2)), Permission(c.name("x:p", 80))})
		}
		roles = append(roles, r)
	}
	return roles
}

// Random sets of roles against the naive model: exactly the union of what was given
// and allowed, nothing without a service role, and custom roles in each instance where
// there is one.
func TestEffective_CSP_15_CSP_29_CSP_31_AgreesWithTheModel(t *testing.T) {
	t.Parallel()
	something, custom := 0, 0
	for seed := range uint64(4000) {
		c := chance{rand.New(rand.NewPCG(seed, 1))}
		d, h, roles := c.definition("d0"), c.held(), c.custom()
		compiled := Compile(d)
		for _, in := range []InstanceID{"i1", "i2", "i3"} {
			want := model(d, h, roles, in)
			found := compiled.effective(h, roles, in, now)
			got := map[Permission]bool{}
			for _, p := range compiled.list(found.set) {
				got[p] = true
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("seed %d, %s: got %v, want %v of %+v, %+v", seed, in, got, want, h, roles)
			}
			if !found.until.IsZero() { // nothing changes before
				for _, g := range h.Grants {
					if g.ExpiresAt.After(now) && g.ExpiresAt.Before(found.until) {
						t.Fatalf("seed %d: it holds until %s, and %+v ends before", seed, found.until, g)
					}
				}
			}
			if len(want) > 0 {
				something++
			}
			if plain := model(d, h, nil, in); len(plain) < len(want) {
				custom++
			}
		}
	}
	if something < 500 || custom < 100 {
		t.Errorf("%d had something, %d by a custom role: the worlds are too poor", something, custom)
	}
}

func TestJudge_AllocatesNothing(t *testing.T) {
	s := newScene(t, operations(t))
	s.give(theApp, s.role("aoa:dashboards"))
	who, ctx := theApp.principal(), t.Context()
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := s.access.Judge(ctx, who, s.in, "GET", "/api/v2/dashboard/7/history/3", now); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("a call that passes allocates %v times", n)
	}
}

func BenchmarkJudge(b *testing.B) {
	s := newScene(b, operations(b))
	s.give(theApp, s.role("aoa:dashboards"))
	who, ctx := theApp.principal(), b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.access.Judge(ctx, who, s.in, "GET", "/api/v2/dashboard/7/history/3", now); err != nil {
			b.Fatal(err)
		}
	}
}
