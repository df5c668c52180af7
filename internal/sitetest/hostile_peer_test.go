package sitetest

import (
	"context"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/federation"
	"causeway/federation/assertion"
	"causeway/federation/contact"
	"causeway/federation/jws"
	"causeway/internal/httpapi"
	"causeway/internal/site"
	"causeway/tenants"
)

const inventory = "/sample/inventory"

// TestHostilePeer is a site that holds a valid association with west and tries to
// forge, replay, over-claim, loop, exhaust and poison. Everything is refused, the
// provider sees it, and nothing changes for anybody else.
func TestHostilePeer_R9_R10(t *testing.T) {
	m := newMallory(t)
	c := &crossing{stage: m.stage}
	c.connect(t)
	if !t.Run("an honest request is fulfilled", func(t *testing.T) { m.wantFulfilled(t) }) {
		t.FailNow() // nothing below would prove anything
	}
	var seen []refusedAs
	for _, a := range m.attacks(t, c) {
		t.Run(a.name, func(t *testing.T) {
			before := m.state(t)
			got := m.ask(t, m.calls, a.method, a.uri, a.token(t), a.body, a.header)
			if got.Status != a.want {
				t.Errorf("status %d, want %d\n%s", got.Status, a.want, got.Body)
			}
			m.wantUnchanged(t, before)
			if a.actor != "" {
				seen = append(seen, refusedAs{a.name, got.Header.Get(httpapi.HeaderRequestID), a.actor, a.want})
			}
		})
	}
	t.Run("R10 replay", m.replay)
	t.Run("I5 what is unknown and what is not associated", m.indistinguishable)
	t.Run("R8 planted identity", m.planted)
	t.Run("R9 oversized headers", m.oversized)
	t.Run("R10 lying heartbeats", m.lies)
	t.Run("as the fulfilling site", func(t *testing.T) { m.answers(t, c) })
	t.Run("I6 a directory that claims others' pairs", m.claimsPairs)
	t.Run("R4 revocations of others' sessions", func(t *testing.T) { m.revokes(t, c) })
	t.Run("I8 slow requests", func(t *testing.T) { m.exhaust(t, c) })
	t.Run("R7 the provider sees what was refused", func(t *testing.T) { m.audited(t, seen) })
	t.Run("R10 still only who it is", func(t *testing.T) { m.wantFulfilled(t) })
	t.Run("R9 bundles", m.bundles)
}

// attack is one request to west's peer listener.
type attack struct {
	name              string
	method, uri, body string
	token             func(*testing.T) string
	header            http.Header
	want              int
	actor             string // as whom the provider sees it; empty where nobody was denied anything
}

// refusedAs is what the audit must hold of an attack.
type refusedAs struct {
	name, request, actor string
	status               int
}

func (m *mallory) attacks(t *testing.T, c *crossing) []attack {
	east, bot, us := m.pair.Site("east").Self().ID, m.File.Account.Name, string(m.id)
	admin := Bearer(c.admin, "Cookie", "vcloud_jwt="+c.admin, legacyToken, c.admin)
	c.Get(t, "west", "/cloudapi/1.0.0/roles", Bearer(c.admin)).Want(t, http.StatusOK)
	eastAcme := tenants.OrgID(bare(m.File.Site("east").Org("acme").ID))
	claim := func(change func(*assertion.Claims)) func(*testing.T) string {
		return m.signed(m.orgKey, http.MethodGet, inventory, change)
	}
	honest := claim(func(*assertion.Claims) {})
	forged := func(change func(map[string]any)) func(*testing.T) string {
		return func(t *testing.T) string { return m.forge(t, inventory, change) }
	}
	get := func(name string, token func(*testing.T) string, want int, actor string) attack {
		return attack{name: name, method: http.MethodGet, uri: inventory, token: token, want: want, actor: actor}
	}
	with := func(a attack, name, value string) attack {
		a.header = http.Header{name: {value}}
		return a
	}
	none := func(*testing.T) string { return "" }
	list := []attack{
		get("R10 no assertion", none, 403, us),
		get("R5 an assertion that is none", func(*testing.T) string { return "a.b.c~d" }, 403, us),
		get("R10 signed with another key", m.signed(m.root, http.MethodGet, inventory, nil), 403, us),
		get("R10 another site as issuer", claim(func(c *assertion.Claims) { c.Issuer = east }), 403, us),
		get("R10 west as issuer", claim(func(c *assertion.Claims) { c.Issuer, c.Audience = c.Audience, c.Issuer }), 403, us),
		get("R10 meant for another site", claim(func(c *assertion.Claims) { c.Audience = east }), 403, us),
		get("R10 another site's organization as source", claim(func(c *assertion.Claims) { c.Src = eastAcme }), 403, us),
		get("R10 west's own organization as source", claim(func(c *assertion.Claims) { c.Src = m.acme }), 403, us),
		get("I1 an organization of its own that nobody trusts", claim(func(c *assertion.Claims) { c.Src = tenants.OrgID(tenants.NewID()) }), 403, us),
		get("R10 its provider", claim(func(c *assertion.Claims) { c.Src = tenants.SystemOrgID }), 403, us),
		get("R10 in the name of west's provider", claim(func(c *assertion.Claims) { c.Dst = tenants.SystemOrgID }), 403, us),
		get("R10 an organization of a third site", claim(func(c *assertion.Claims) { c.Dst = eastAcme }), 403, us),
		get("R10 for another method", m.signed(m.orgKey, http.MethodPost, inventory, nil), 403, us),
		get("R10 for another URI", m.signed(m.orgKey, http.MethodGet, inventory+"?all", nil), 403, us),
		get("R10 for another body", claim(func(c *assertion.Claims) { c.Body = assertion.BodyDigest([]byte("x")) }), 403, us),
		get("R10 expired", claim(func(c *assertion.Claims) { c.IssuedAt = c.IssuedAt.Add(-2 * time.Minute) }), 503, us),
		get("R10 from the future", claim(func(c *assertion.Claims) { c.IssuedAt = c.IssuedAt.Add(2 * time.Minute) }), 503, us),
		get("R10 lives for too long", forged(func(w map[string]any) { w["exp"] = w["iat"].(float64) + 3600 }), 403, us),
		get("R10 the second hop", forged(func(w map[string]any) { w["hop"] = 2 }), 403, us),
		with(get("I3 a loop", honest, 508, bot), "Via", "2.0 "+us+", 2.0 "+string(m.west.Self().ID)),
		with(get("I3 on to a third organization", honest, 421, bot), "X-Vmware-Vcloud-Auth-Context", "acme-labs"),
		with(get("I3 on to a third organization by its id", honest, 421, bot), "X-Vmware-Vcloud-Tenant-Context", string(eastAcme)),
		get("I4 a person while people do not map", claim(func(c *assertion.Claims) {
			c.SubjectType, c.Subject, c.SoftwareID = assertion.User, m.File.Site("west").Org("acme").Admin.User, ""
		}), 403, us),
		get("I4 an account with another software id", claim(func(c *assertion.Claims) { c.SoftwareID = tenants.NewID() }), 403, us),
		get("I4 an account with another name", claim(func(c *assertion.Claims) { c.Subject = "root" }), 403, us),
		{
			name: "I4 a right that the account here lacks", method: http.MethodGet, uri: "/sample/audit", want: 403, actor: bot,
			token: m.signed(m.orgKey, http.MethodGet, "/sample/audit", nil),
		},
		{
			name: "R7 a machine that makes users", method: http.MethodPost, uri: "/cloudapi/1.0.0/users", body: `{"username":"m","password":"Mallory1!"}`, want: 403, actor: bot,
			token: m.signed(m.orgKey, http.MethodPost, "/cloudapi/1.0.0/users", nil),
		},
		{name: "R5 a stolen token instead of an assertion", method: http.MethodGet, uri: "/cloudapi/1.0.0/roles", token: none, header: admin, want: 403, actor: us},
		{
			name: "R5 a stolen token beside an assertion", method: http.MethodGet, uri: "/sample/audit", header: admin, want: 403, actor: bot,
			token: m.signed(m.orgKey, http.MethodGet, "/sample/audit", nil),
		},
	}
	for _, open := range [][2]string{
		{http.MethodPost, "/oauth/tenant/acme/token"}, {http.MethodPost, "/oauth/provider/token"}, {http.MethodPost, "/oauth/tenant/acme/device_authorization"},
		{http.MethodPost, "/cloudapi/1.0.0/sessions"}, {http.MethodPost, "/cloudapi/1.0.0/sessions/provider"}, {http.MethodGet, "/federation/v1/bundle"},
	} {
		list = append(list, attack{
			name: "R9 " + open[1] + " is not for sites", method: open[0], uri: open[1], want: 404, header: admin,
			token: m.signed(m.orgKey, open[0], open[1], nil),
		})
	}
	return list
}

// signed mints an assertion when its time has come; change may be nil.
func (m *mallory) signed(key *ecdsa.PrivateKey, method, uri string, change func(*assertion.Claims)) func(*testing.T) string {
	return func(t *testing.T) string {
		c := m.claims(method, uri)
		if change != nil {
			change(&c)
		}
		return m.mint(t, key, c)
	}
}

// forge changes what an introduction says, signs it with the right key and makes
// a ticket that fits: what no site of ours would send.
func (m *mallory) forge(t *testing.T, uri string, change func(map[string]any)) string {
	t.Helper()
	introduction, ticket, _ := strings.Cut(m.mint(t, m.orgKey, m.claims(http.MethodGet, uri)), "~")
	var claims map[string]any
	decodeInto(t, strings.Split(introduction, ".")[1], &claims)
	change(claims)
	for name, v := range claims {
		if f, ok := v.(float64); ok {
			claims[name] = int64(f)
		}
	}
	text, err := jws.Sign(m.orgKey, "cw-fwd+jwt", claims)
	if err != nil {
		t.Fatal(err)
	}
	key, err := base64.RawURLEncoding.DecodeString(claims["key"].(string))
	if err != nil {
		t.Fatal(err)
	}
	said, sum := ticket[:strings.LastIndexByte(ticket, '.')], sha256.Sum256([]byte(text))
	code := hmac.New(sha256.New, key)
	fmt.Fprintf(code, "%s\n%s\n%s\n%s", sum[:], said, http.MethodGet, uri)
	return text + "~" + said + "." + base64.RawURLEncoding.EncodeToString(code.Sum(nil))
}

func decodeInto(t *testing.T, part string, v any) {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
}

// wantFulfilled sends the one honest request.
func (m *mallory) wantFulfilled(t *testing.T) {
	t.Helper()
	for what, token := range map[string]string{
		"minted":                           m.mint(t, m.orgKey, m.claims(http.MethodGet, inventory)),
		"forged, but with nothing changed": m.forge(t, inventory, func(map[string]any) {}),
	} {
		got := m.ask(t, m.calls, http.MethodGet, inventory, token, "", nil)
		if got.Status != http.StatusOK {
			t.Fatalf("%s: status %d\n%s", what, got.Status, got.Body)
		}
		m.wantBot(t, got)
	}
}

// wantBot: the account of acme at west, with its role there.
func (m *mallory) wantBot(t *testing.T, got Answer) {
	t.Helper()
	body := got.Want(t, http.StatusOK).JSON(t)
	if body["site"] != "west" || body["organization"] != "acme" || body["principal"] != m.File.Account.Name || body["role"] != "Inventory Operator" {
		t.Errorf("fulfilled as %v", body)
	}
}

// state is what no attack may change: how many rows there are of each kind, and
// the associations that are others'.
func (m *mallory) state(t *testing.T) string {
	t.Helper()
	db, _ := open(t, "sqlite://"+m.folder+"/west/causeway.db?_pragma=busy_timeout(5000)&_pragma=query_only(1)")
	var b strings.Builder
	for _, table := range []string{
		"sessions", "journal", "users", "service_accounts", "token_families", "device_requests", "organizations", "roles", "tasks", "site_associations", "org_associations",
	} {
		var n int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, table, n)
	}
	return b.String() + m.others(t)
}

// others are west's associations but for mallory's and its organization's.
func (m *mallory) others(t *testing.T) (text string) {
	t.Helper()
	if err := m.west.DB().Federation().View(t.Context(), func(r federation.Reader) error {
		text = ""
		sites, err := r.SiteAssociations()
		if err != nil {
			return err
		}
		for _, a := range sites {
			if a.Site != m.id {
				text += fmt.Sprintln(a.Site, a.Name, a.Status, a.PublicKey, a.NextKey)
			}
		}
		orgs, err := r.OrgAssociations(m.acme)
		for _, a := range orgs {
			if a.Site != m.id {
				text += fmt.Sprintln(a.Location(), a.RemoteName, a.RemoteEnabled, a.Status, a.PublicKey)
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return text
}

// held is west's association with mallory's organization.
func (m *mallory) held(t *testing.T) (a federation.OrgAssociation) {
	t.Helper()
	if err := m.west.DB().Federation().View(t.Context(), func(r federation.Reader) (err error) {
		a, err = r.OrgAssociation(m.acme, tenants.LocationID{Org: m.org, Site: m.id})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return a
}

func (m *mallory) wantUnchanged(t *testing.T, before string) {
	t.Helper()
	if after := m.state(t); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
}

func (m *mallory) replay(t *testing.T) {
	const reservations = "/sample/reservations"
	for _, r := range [][2]string{{http.MethodGet, inventory}, {http.MethodPost, reservations}} {
		token := m.mint(t, m.orgKey, m.claims(r[0], r[1]))
		m.ask(t, m.calls, r[0], r[1], token, "", nil).Want(t, http.StatusOK)
		m.ask(t, m.calls, r[0], r[1], token, "", nil).Want(t, http.StatusForbidden)
		m.ask(t, m.client(t, "h2"), r[0], r[1], token, "", nil).Want(t, http.StatusForbidden)
	}
	token := m.mint(t, m.orgKey, m.claims(http.MethodPost, reservations))
	var passed sync.Map
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+m.west.Addr("peer")+reservations, nil)
			r.Header.Set(assertion.Header, token)
			if res, err := m.calls.Do(r); err == nil {
				res.Body.Close()
				if res.StatusCode == http.StatusOK {
					passed.Store(i, true)
				}
			}
		})
	}
	all.Wait()
	n := 0
	passed.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("of 16 at once %d passed", n)
	}
}

// indistinguishable compares whole answers about an organization that west has,
// and one that nobody has.
func (m *mallory) indistinguishable(t *testing.T) {
	root := m.Login(t, "west", System)
	made := m.Post(t, "west", "/cloudapi/1.0.0/orgs", Bearer(root), map[string]any{"name": "initech", "displayName": "initech", "isEnabled": true})
	there := tenants.OrgID(bare(made.Want(t, http.StatusCreated).String(t, "id")))
	ask := func(dst tenants.OrgID) string {
		token := m.signed(m.orgKey, http.MethodGet, inventory, func(c *assertion.Claims) { c.Dst = dst })(t)
		return masked(m.ask(t, m.calls, http.MethodGet, inventory, token, "", nil).Want(t, http.StatusForbidden))
	}
	if a, b := ask(there), ask(tenants.OrgID(tenants.NewID())); a != b {
		t.Errorf("of another organization it learns\n%s\nof none\n%s", a, b)
	}
	named := func(name string) string {
		token := m.mint(t, m.orgKey, m.claims(http.MethodGet, inventory))
		return masked(m.ask(t, m.calls, http.MethodGet, inventory, token, "", http.Header{"X-Vmware-Vcloud-Auth-Context": {name}}).Want(t, http.StatusMisdirectedRequest))
	}
	if a, b := named("initech"), named("no-such"); a != b {
		t.Errorf("by name: of another organization it learns\n%s\nof none\n%s", a, b)
	}
}

// planted: what a peer says of the caller in headers of ours never reaches an
// instance, in no spelling.
func (m *mallory) planted(t *testing.T) {
	h := http.Header{}
	for name, value := range map[string]string{"Org-Name": "globex", "Principal-Name": "root", "Principal": "user:root", "Role": "System Administrator"} {
		h["X-Causeway-"+name] = []string{value}
		h["x_causeway_"+strings.ReplaceAll(strings.ToLower(name), "-", "_")] = []string{value}
	}
	token := m.mint(t, m.orgKey, m.claims(http.MethodGet, inventory))
	m.wantBot(t, m.ask(t, m.calls, http.MethodGet, inventory, token, "", h))
}

// oversized speaks HTTP/1.1: over HTTP/2 our own client would not send it.
func (m *mallory) oversized(t *testing.T) {
	token := m.mint(t, m.orgKey, m.claims(http.MethodGet, inventory))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+m.west.Addr("peer")+inventory, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(assertion.Header, token)
	r.Header.Set("X-Much", strings.Repeat("x", 1<<20))
	res, err := m.client(t, "http/1.1").Do(r)
	if err == nil { // else west hung up before it had read everything
		res.Body.Close()
		if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("a head of a megabyte: status %d", res.StatusCode)
		}
	}
	m.wantFulfilled(t)
}

// lies sends heartbeats that are not true. What they say counts for nothing
// before west has asked back.
func (m *mallory) lies(t *testing.T) {
	before := m.state(t)
	for _, tt := range []struct {
		name string
		lie  func(*contact.Heartbeat)
		want int
	}{
		{"in the name of another site", func(h *contact.Heartbeat) { h.Site = m.pair.Site("east").Self().ID }, 400},
		{"in the name of west", func(h *contact.Heartbeat) { h.Site = m.west.Self().ID }, 400},
		{"of no site", func(h *contact.Heartbeat) { h.Site = "x" }, 400},
		{"a clock years ahead", func(h *contact.Heartbeat) { h.Time = h.Time.AddDate(50, 0, 0) }, 200},
		{"huge numbers", func(h *contact.Heartbeat) { h.Head = 1<<63 - 1 }, 200},
		{"a negative number", func(h *contact.Heartbeat) { h.Head = -1 }, 400},
		{"no versions", func(h *contact.Heartbeat) { h.API = contact.Range{} }, 400},
		{"a name without end", func(h *contact.Heartbeat) { h.Name = strings.Repeat("x", 100_000) }, 400},
	} {
		h := m.heartbeat()
		tt.lie(&h)
		body, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.ask(t, m.calls, http.MethodPost, contact.HeartbeatPath, "", string(body), nil); got.Status != tt.want {
			t.Errorf("%s: status %d, want %d\n%s", tt.name, got.Status, tt.want, got.Body)
		}
	}
	for _, body := range []string{"", "null", "[]", `{"head":1e400}`, "\xff"} {
		m.ask(t, m.calls, http.MethodPost, contact.HeartbeatPath, "", body, nil).Want(t, http.StatusBadRequest)
	}
	m.wantUnchanged(t, before)
	// Its answers lie, too: that costs its own association, and no other.
	lie := func(h *contact.Heartbeat) { h.Time = h.Time.Add(time.Hour) }
	m.beat.Store(&lie)
	others := m.others(t)
	Eventually(t, 5*time.Second, "mallory's association is in error", func() bool { return statusAt(t, m.west, m.id).Status == federation.StatusError })
	Eventually(t, 5*time.Second, "it speaks for nobody", func() bool {
		token := m.mint(t, m.orgKey, m.claims(http.MethodGet, inventory))
		return m.ask(t, m.calls, http.MethodGet, inventory, token, "", nil).Status == http.StatusForbidden
	})
	if got := m.others(t); got != others {
		t.Errorf("other associations were\n%s\nand are\n%s", others, got)
	}
	m.beat.Store(nil)
	Eventually(t, 10*time.Second, "both associations are ACTIVE again", func() bool {
		return statusAt(t, m.west, m.id).Status == federation.StatusActive && m.held(t).Status == federation.StatusActive
	})
	Eventually(t, 5*time.Second, "requests are fulfilled again", func() bool {
		token := m.mint(t, m.orgKey, m.claims(http.MethodGet, inventory))
		return m.ask(t, m.calls, http.MethodGet, inventory, token, "", nil).Status == http.StatusOK
	})
}

// claimsPairs has mallory's directory speak of others' organizations. West has
// read it when the name that it gives its own arrives.
func (m *mallory) claimsPairs(t *testing.T) {
	others := m.others(t)
	eastAcme := tenants.OrgID(bare(m.File.Site("east").Org("acme").ID))
	m.orgs.Store(m.directory("hydra-2",
		contact.PairState{Org: eastAcme, With: m.acme, Name: "stolen", Held: true},
		contact.PairState{Org: m.org, With: tenants.SystemOrgID, Name: "provider", Enabled: true, Held: true},
		contact.PairState{Org: tenants.SystemOrgID, With: tenants.SystemOrgID, Name: "System", Enabled: true, Held: true},
		contact.PairState{Org: tenants.OrgID(tenants.NewID()), With: m.acme, Name: "acme", Enabled: true, Held: true},
	))
	h := m.heartbeat()
	grown := func(b *contact.Heartbeat) { b.Head = time.Now().UnixNano() }
	grown(&h)
	m.beat.Store(&grown)
	defer m.beat.Store(nil)
	Eventually(t, 10*time.Second, "west has read the directory", func() bool { return m.held(t).RemoteName == "hydra-2" })
	if got := m.others(t); got != others {
		t.Errorf("other associations were\n%s\nand are\n%s", others, got)
	}
	if n := count(t, "sqlite://"+m.folder+"/west/causeway.db", "org_associations"); n != 3 {
		t.Errorf("%d associations of organizations: one was made up", n)
	}
}

// revokes names sessions, accounts and keys of other sites in its feed.
func (m *mallory) revokes(t *testing.T, c *crossing) {
	Eventually(t, 10*time.Second, "west follows the feed", func() bool { return m.heard.Load() > 0 })
	var session struct {
		ID string `json:"jti"`
	}
	decodeInto(t, strings.Split(c.access, ".")[1], &session)
	if session.ID == "" {
		t.Fatal("the token names no session")
	}
	const seq = 1 << 40
	m.ended.Store(&contact.Ended{Seq: seq, List: []contact.EndedItem{
		{Org: m.acme, Kind: "session", ID: session.ID}, {Kind: "session", ID: session.ID}, {Org: m.acme, Kind: "serviceAccount", ID: c.client},
		{Org: m.acme, Kind: "organization", ID: string(m.acme)}, {Kind: "key", ID: "x"},
	}})
	Eventually(t, 10*time.Second, "west asks for what comes after", func() bool { return m.heard.Load() >= seq })
	c.wantSample(t, c.access, "west", "acme")
	c.byName(t)
}

// exhaust has 300 requests under way that send nothing more. Everybody else is
// served as fast as before.
func (m *mallory) exhaust(t *testing.T, c *crossing) {
	ctx, cancel := context.WithCancel(t.Context())
	clients := []*http.Client{m.client(t, "h2"), m.client(t, "h2")}
	var slow sync.WaitGroup
	defer slow.Wait()
	defer cancel()
	for i := range 300 {
		slow.Go(func() {
			body, w := io.Pipe()
			defer context.AfterFunc(ctx, func() { w.Close() })()
			r, _ := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+m.west.Addr("peer")+contact.HeartbeatPath, body)
			if i%3 == 0 {
				r, _ = http.NewRequestWithContext(ctx, http.MethodGet, "https://"+m.west.Addr("peer")+contact.RevocationsPath+"?since=1&wait=60", nil)
			}
			if res, err := clients[i%len(clients)].Do(r); err == nil {
				_, _ = io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
		})
	}
	time.Sleep(200 * time.Millisecond) // more of them are under way; fewer would make the test weaker, never wrong
	east := c.toEast()[0]
	start := time.Now()
	for range 5 {
		c.wantSample(t, c.access, "west", "acme")
		c.wantSample(t, c.access, "east", "acme", east...)
	}
	took := time.Since(start)
	t.Logf("ten requests beside 300 slow ones took %s", took.Round(time.Millisecond))
	if took > 20*time.Second { // the slow ones take 25 s and more
		t.Errorf("others wait for mallory: %s", took)
	}
}

// audited: each refusal is found by the provider, with who asked.
func (m *mallory) audited(t *testing.T, seen []refusedAs) {
	root := Bearer(m.Login(t, "west", System))
	for _, r := range seen {
		var got Answer
		Eventually(t, 5*time.Second, r.name+" is kept", func() bool {
			got = m.Get(t, "west", "/cloudapi/causeway/1.0.0/refusals/"+r.request, root)
			return got.Status == http.StatusOK
		})
		body := got.JSON(t)
		actor, _ := json.Marshal(body["actor"])
		if !strings.Contains(string(actor), r.actor) || body["status"] != float64(r.status) {
			t.Errorf("%s: kept as %s", r.name, got.Body)
		}
	}
}

// bundles: neither one that another key signed nor an older one counts, and what
// a bundle names outside its association's networks is never connected to.
func (m *mallory) bundles(t *testing.T) {
	kept := func(s *site.Site) string { a := statusAt(t, s, m.id); return a.Bundle + a.PublicKey + a.NextKey }
	before := kept(m.west)
	if !strings.Contains(before, *m.bundle.Load()) {
		t.Fatal("west has not kept mallory's bundle")
	}
	announce := func(h *contact.Heartbeat) { h.BundleSeq = 1 << 50 }
	for _, forged := range []struct {
		key *ecdsa.PrivateKey
		seq uint64
	}{{ecKey(t), 1 << 50}, {m.root, 1}} {
		m.sign(t, forged.key, forged.seq)
		asked := m.fetched.Load()
		m.beat.Store(&announce)
		Eventually(t, 10*time.Second, "west asks for the bundle", func() bool { return m.fetched.Load() > asked })
		beats := m.beats.Load()
		Eventually(t, 10*time.Second, "west has judged it", func() bool { return m.beats.Load() > beats+1 })
		if kept(m.west) != before {
			t.Errorf("a bundle with number %d was kept", forged.seq)
		}
	}
	if n := m.trap.Load(); n != 0 {
		t.Errorf("%d connections to an address that the association does not allow", n)
	}
}
