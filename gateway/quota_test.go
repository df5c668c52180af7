package gateway_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"causeway/internal/config"
	"causeway/internal/httpapi"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// quotaWorld is a pair of sites whose instances tell what they were told, and
// answer when the test lets them.
type quotaWorld struct {
	*world
	admin    string // access token of acme's administrator in west
	provider string
	account  string // URN of acme's app in west
	app      string // its access token
	refresh  string
	gate     chan struct{} // requests for /sample/slow wait for it
	slow     atomic.Int64  // how many do
	busiest  atomic.Int64
}

func startQuotas(t *testing.T, kind storetest.Kind) *quotaWorld {
	t.Helper()
	q := &quotaWorld{gate: make(chan struct{})}
	instance := httptest.NewServer(http.HandlerFunc(q.instance))
	t.Cleanup(instance.Close)
	q.world = start(t, kind, sitetest.Adjust(func(c *config.Config) {
		c.Services[0].Upstream = instance.URL
		for _, r := range []config.ServiceRoute{{Method: "GET", Path: "/sample/slow"}, {Method: "POST", Path: "/sample/echo"}} {
			r.Right = c.Services[0].Routes[0].Right
			c.Services[0].Routes = append(c.Services[0].Routes, r)
		}
	}))
	q.admin, q.provider = q.c.Login(t, "west", "acme"), q.c.Login(t, "west", "System")
	id, account := q.c.Account(t, "west", q.admin, "inventory-bot")
	q.account, _ = account["id"].(string)
	q.app, q.refresh = q.c.Connect(t, "west", "acme", id)
	return q
}

func (q *quotaWorld) instance(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/sample/slow" {
		n := q.slow.Add(1)
		for was := q.busiest.Load(); n > was && !q.busiest.CompareAndSwap(was, n); was = q.busiest.Load() {
		}
		<-q.gate
		q.slow.Add(-1)
	}
	if r.URL.Path == "/sample/echo" {
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]string{
		"own": r.Header.Get("X-Causeway-Quota"), "org": r.Header.Get("X-Causeway-Org-Quota"), "forged": r.Header.Get("X_Causeway_Quota"),
	})
}

// policy makes a quota policy in acme and returns its URN.
func (q *quotaWorld) policy(t *testing.T, name, definitions string) string {
	t.Helper()
	body := fmt.Sprintf(`{"name":%q,"quotaPoolDefinitions":[%s]}`, name, definitions)
	return q.do(t, "west", "POST", "/cloudapi/1.0.0/quotaPolicies", sitetest.Bearer(q.admin), body).Want(t, 201).String(t, "id")
}

func reference(policy string) string {
	return fmt.Sprintf(`{"quotaPolicyReference":{"name":"","id":%q}}`, policy)
}

// assign gives a policy to what a path names, such as serviceAccounts/<urn>.
func (q *quotaWorld) assign(t *testing.T, token, holder, body string) sitetest.Answer {
	t.Helper()
	return q.do(t, "west", "PUT", "/cloudapi/1.0.0/"+holder+"/quotaPolicy", sitetest.Bearer(token), body)
}

// renew is the app's next token.
func (q *quotaWorld) renew(t *testing.T) {
	t.Helper()
	a := q.c.Refresh(t, "west", "acme", q.refresh).Want(t, 200)
	q.app, q.refresh = a.String(t, "access_token"), a.String(t, "refresh_token")
}

func (q *quotaWorld) call(t *testing.T, token string) sitetest.Answer {
	t.Helper()
	return q.do(t, "west", "GET", "/sample/inventory", sitetest.Bearer(token), "")
}

const perHour = `{"quotaResourceName":"requests","quotaResourceUnit":"PER_HOUR","quota":%d}`

// A quota is assigned, read back, pinned by the next refresh and not by the
// running session, enforced, and lifted by the refresh after it was taken.
func TestQuota_VCD55_VCD56_VCD88_VCD89_OfAnAccount(t *testing.T) {
	for _, kind := range []storetest.Kind{storetest.SQLite, storetest.Postgres} {
		t.Run(string(kind), func(t *testing.T) {
			q := startQuotas(t, kind)
			policy := q.policy(t, "small", fmt.Sprintf(perHour, 3)+`,{"quotaResourceName":"memory","quotaResourceUnit":"MB","quota":512}`)
			a := q.assign(t, q.admin, "serviceAccounts/"+q.account, reference(policy)).Want(t, 202)
			if l := a.Header.Get("Location"); !strings.HasPrefix(l, q.c.Site("west").API+"/api/task/") {
				t.Errorf("the task is at %q", l)
			}
			a = q.do(t, "west", "GET", "/cloudapi/1.0.0/serviceAccounts/"+q.account+"/quotaPolicy", sitetest.Bearer(q.admin), "").Want(t, 200)
			if got := strings.TrimSpace(string(a.Body)); got != `{"quotaPolicyReference":{"name":"small","id":"`+policy+`"}}` {
				t.Errorf("the account holds %s", got)
			}

			before := q.app
			for range 5 { // the running session keeps what it was issued under
				q.call(t, before).Want(t, 200)
			}
			q.renew(t)
			for range 3 {
				a := q.call(t, q.app).Want(t, 200)
				if own := a.String(t, "own"); own != `[{"quotaResourceName":"memory","resourceType":"","quotaResourceUnit":"MB","quota":512,"qualifiers":[]}]` {
					t.Errorf("the instance was told %s", own)
				}
			}
			a = q.call(t, q.app)
			wantRefusal(t, "/sample/inventory", a, http.StatusTooManyRequests)
			if after, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || after < 3600-120 || after > 3600*8/7+1 {
				t.Errorf("Retry-After: %s", a.Header.Get("Retry-After"))
			}
			// Only instances are counted, and nobody else is held to it.
			q.do(t, "west", "GET", "/cloudapi/1.0.0/sessions/current", sitetest.Bearer(q.app), "").Want(t, 200)
			q.call(t, q.admin).Want(t, 200)
			q.call(t, before).Want(t, 200)

			q.assign(t, q.admin, "serviceAccounts/"+q.account, "").Want(t, 202)
			wantRefusal(t, "/sample/inventory", q.call(t, q.app), http.StatusTooManyRequests)
			q.renew(t)
			if own := q.call(t, q.app).Want(t, 200).String(t, "own"); own != "" {
				t.Errorf("the instance was told %s", own)
			}
			a = q.do(t, "west", "GET", "/cloudapi/1.0.0/serviceAccounts/"+q.account+"/quotaPolicy", sitetest.Bearer(q.admin), "").Want(t, 200)
			if got := strings.TrimSpace(string(a.Body)); got != `{"quotaPolicyReference":null}` {
				t.Errorf("the account holds %s", got)
			}
		})
	}
}

// The organization's quota is for the sum of its people and apps, and counts at
// once, for sessions that run too.
func TestQuota_VCD56_OfTheOrganization(t *testing.T) {
	q := startQuotas(t, storetest.SQLite)
	acme := "orgs/" + q.c.Site("west").Org("acme").ID
	policy := q.policy(t, "all", fmt.Sprintf(perHour, 4)+`,{"resourceType":"storage","quotaResourceUnit":"MB","quota":7}`)
	wantRefusal(t, "/cloudapi", q.assign(t, q.admin, acme, reference(policy)), http.StatusForbidden)
	q.assign(t, q.provider, acme, reference(policy)).Want(t, 202)
	for i := range 4 {
		a := q.call(t, []string{q.app, q.admin}[i%2]).Want(t, 200)
		if org := a.String(t, "org"); !strings.Contains(org, `"resourceType":"storage"`) || a.String(t, "own") != "" {
			t.Errorf("the instance was told %s", a.Body)
		}
	}
	for _, token := range []string{q.app, q.admin} {
		a := q.call(t, token)
		wantRefusal(t, "/sample/inventory", a, http.StatusTooManyRequests)
		if !strings.Contains(string(a.Body), "organization's quota of requests") {
			t.Errorf("the refusal says %s", a.Body)
		}
	}
	// Its administrators cannot lift it.
	for _, body := range []string{"", "{}", `{"quotaPolicyReference":null}`} {
		wantRefusal(t, "/cloudapi", q.assign(t, q.admin, acme, body), http.StatusForbidden)
	}
	a := q.do(t, "west", "PUT", "/cloudapi/1.0.0/quotaPolicies/"+policy, sitetest.Bearer(q.admin), `{"name":"all"}`)
	wantRefusal(t, "/cloudapi", a, http.StatusForbidden)
	a = q.do(t, "west", "DELETE", "/cloudapi/1.0.0/quotaPolicies/"+policy, sitetest.Bearer(q.admin), "")
	wantRefusal(t, "/cloudapi", a, http.StatusConflict)
	// The provider is not one of its principals, also when acting there.
	there := sitetest.Bearer(q.provider, httpapi.HeaderTenantContext, bare(q.c.Site("west").Org("acme").ID))
	q.do(t, "west", "GET", "/sample/inventory", there, "").Want(t, 200)
	q.assign(t, q.provider, acme, "{}").Want(t, 202)
	q.call(t, q.app).Want(t, 200)
}

// Of many requests at the same moment never more are under way than the quota
// says, and a place is free again when an answer ends.
func TestQuota_R7_ConcurrentHoldsUnderRaces(t *testing.T) {
	q := startQuotas(t, storetest.SQLite)
	q.assign(t, q.admin, "serviceAccounts/"+q.account, reference(q.policy(t, "three", `{"quotaResourceName":"concurrentRequests","quota":3}`))).Want(t, 202)
	q.renew(t)
	var passed, refused, other atomic.Int64
	var wg sync.WaitGroup
	slow := func() {
		a, err := q.c.Try("GET", q.c.Site("west").API+"/sample/slow", sitetest.Bearer(q.app), nil)
		switch {
		case err == nil && a.Status == http.StatusOK:
			passed.Add(1)
		case err == nil && a.Status == http.StatusTooManyRequests && a.Header.Get("Retry-After") == "1":
			refused.Add(1)
		default:
			other.Add(1)
		}
	}
	for range 24 {
		wg.Go(slow)
	}
	sitetest.Eventually(t, 20*time.Second, "all but three are refused", func() bool { return refused.Load() == 21 })
	if n := q.slow.Load(); n > 3 {
		t.Errorf("%d requests are under way", n)
	}
	close(q.gate)
	wg.Wait()
	if passed.Load() != 3 || other.Load() != 0 || q.busiest.Load() != 3 {
		t.Errorf("%d passed, %d at once, %d failed", passed.Load(), q.busiest.Load(), other.Load())
	}
	for range 5 { // one after the other: each place was given back
		slow()
	}
	if passed.Load() != 8 {
		t.Errorf("%d passed", passed.Load())
	}
}

// Bytes count in both directions. The transfer that goes beyond is finished.
func TestQuota_VCD56_Bytes(t *testing.T) {
	q := startQuotas(t, storetest.SQLite)
	q.assign(t, q.admin, "serviceAccounts/"+q.account, reference(q.policy(t, "bytes", `{"quotaResourceName":"bytes","quotaResourceUnit":"PER_DAY","quota":100000}`))).Want(t, 202)
	q.renew(t)
	echo := func(n int) sitetest.Answer {
		return q.do(t, "west", "POST", "/sample/echo", sitetest.Bearer(q.app), strings.Repeat("x", n))
	}
	for i, n := range []int{49_000, 900_000} { // 98,000 both ways leave a little
		if a := echo(n).Want(t, 200); len(a.Body) != n {
			t.Errorf("transfer %d: %d bytes came back of %d", i, len(a.Body), n)
		}
	}
	wantRefusal(t, "/sample/echo", echo(1), http.StatusTooManyRequests)
	wantRefusal(t, "/sample/inventory", q.call(t, q.app), http.StatusTooManyRequests)
}

// What a client says of its quotas does not reach the instance, however spelt.
func TestQuota_R8_HeadersAreOurs(t *testing.T) {
	q := startQuotas(t, storetest.SQLite)
	header := sitetest.Bearer(q.app, "X-Causeway-Quota", "[]", "X-Causeway-Org-Quota", "[]")
	header["x_causeway_quota"] = []string{"[]"}
	a := q.do(t, "west", "GET", "/sample/inventory", header, "").Want(t, 200)
	if a.String(t, "own") != "" || a.String(t, "org") != "" || a.String(t, "forged") != "" {
		t.Errorf("the instance was told %s", a.Body)
	}
}

// A request from a peer is held to the quota of the account here, as it is now.
func TestQuota_VCD89_TheFulfillingSiteUsesItsOwn(t *testing.T) {
	q := startQuotas(t, storetest.SQLite)
	admin := q.c.Login(t, "east", "acme")
	_, account := q.c.Account(t, "east", admin, "inventory-bot")
	policy := q.do(t, "east", "POST", "/cloudapi/1.0.0/quotaPolicies", sitetest.Bearer(admin),
		`{"name":"two","quotaPoolDefinitions":[`+fmt.Sprintf(perHour, 2)+`]}`).Want(t, 201).String(t, "id")
	path := fmt.Sprintf("/cloudapi/1.0.0/serviceAccounts/%s/quotaPolicy", account["id"])
	there := sitetest.Bearer(q.app, httpapi.HeaderTenantContext, bare(q.c.Site("east").Org("acme").ID))
	ask := func() sitetest.Answer { return q.do(t, "west", "GET", "/sample/inventory", there, "") }
	ask().Want(t, 200) // the counterpart is known now
	q.do(t, "east", "PUT", path, sitetest.Bearer(admin), reference(policy)).Want(t, 202)
	ask().Want(t, 200)
	ask().Want(t, 200)
	wantRefusal(t, "/sample/inventory", ask(), http.StatusTooManyRequests)
	// An edit of the policy counts for the next request, without a refresh.
	q.do(t, "east", "PUT", "/cloudapi/1.0.0/quotaPolicies/"+policy, sitetest.Bearer(admin),
		`{"name":"two","quotaPoolDefinitions":[`+fmt.Sprintf(perHour, 3)+`]}`).Want(t, 200)
	ask().Want(t, 200)
	wantRefusal(t, "/sample/inventory", ask(), http.StatusTooManyRequests)
	q.call(t, q.app).Want(t, 200) // home counts for itself
}

// A person's session is issued under what the person holds at login.
func TestQuota_VCD89_OfAPerson(t *testing.T) {
	q := startQuotas(t, storetest.SQLite)
	session := q.do(t, "west", "GET", "/cloudapi/1.0.0/sessions/current", sitetest.Bearer(q.admin), "").JSON(t)
	user, _ := session["user"].(map[string]any)
	holder := fmt.Sprintf("users/%s", user["id"])
	q.assign(t, q.admin, holder, reference(q.policy(t, "one", fmt.Sprintf(perHour, 1)))).Want(t, 202)
	for range 3 {
		q.call(t, q.admin).Want(t, 200)
	}
	bound, again := q.c.Login(t, "west", "acme"), q.c.Login(t, "west", "acme")
	q.call(t, bound).Want(t, 200)
	wantRefusal(t, "/sample/inventory", q.call(t, again), http.StatusTooManyRequests) // the person's, not the session's
	q.assign(t, bound, holder, "{}").Want(t, 202)                                     // management is not counted
	q.call(t, q.c.Login(t, "west", "acme")).Want(t, 200)
	wantRefusal(t, "/sample/inventory", q.call(t, bound), http.StatusTooManyRequests)
}

// An app whose role allows everything still manages no quotas, least its own.
func TestQuota_R7_NoAppManages(t *testing.T) {
	q := startQuotas(t, storetest.SQLite)
	policy := q.policy(t, "loose", "")
	id := q.do(t, "west", "POST", "/oauth/tenant/acme/register", sitetest.Bearer(q.admin),
		`{"client_name":"mighty","software_id":"bc2528fd-35c4-44e5-a55d-62e5c4bd9c99","scope":"urn:vcloud:role:Organization%20Administrator"}`).
		Want(t, 201).String(t, "client_id")
	mighty, _ := q.c.Connect(t, "west", "acme", id)
	ids := allKinds(nobody)
	ids["org"], ids["serviceAccount"], ids["quotaPolicy"] = bare(q.c.Site("west").Org("acme").ID), id, bare(policy)
	managed, v := 0, q.witness(t, "west")
	for _, e := range endpoints() {
		if len(e.rights) != 1 || e.rights[0] != "Quota Policy: Manage" {
			continue
		}
		managed++
		for _, body := range []string{"", `{"name":"mine"}`, reference(policy)} {
			path := e.fill(t, "acme", ids)
			wantRefusal(t, path, q.do(t, "west", e.method, path, sitetest.Bearer(mighty), body), http.StatusForbidden)
		}
	}
	if managed != 6 {
		t.Errorf("%d routes manage quotas, want 6", managed)
	}
	v.unchanged(t)
	q.do(t, "west", "GET", "/cloudapi/1.0.0/quotaPolicies", sitetest.Bearer(mighty), "").Want(t, 200)
}

// A provider reaches policies and their holders by id alone, and makes policies
// for a tenant by naming it.
func TestQuota_VCD55_ByTheProvider(t *testing.T) {
	q := startQuotas(t, storetest.SQLite)
	acme := q.c.Site("west").Org("acme").ID
	policy := q.do(t, "west", "POST", "/cloudapi/1.0.0/quotaPolicies", sitetest.Bearer(q.provider), fmt.Sprintf(`{"name":"given","orgId":%q}`, acme)).Want(t, 201)
	if policy.String(t, "orgId") != acme {
		t.Errorf("it belongs to %s", policy.String(t, "orgId"))
	}
	path := "/cloudapi/1.0.0/quotaPolicies/" + policy.String(t, "id")
	for _, token := range []string{q.admin, q.provider} {
		q.do(t, "west", "GET", path, sitetest.Bearer(token), "").Want(t, 200)
	}
	q.assign(t, q.provider, "serviceAccounts/"+q.account, reference(policy.String(t, "id"))).Want(t, 202)
	q.do(t, "west", "PUT", path, sitetest.Bearer(q.provider), `{"name":"renamed"}`).Want(t, 200)
	a := q.do(t, "west", "GET", "/cloudapi/1.0.0/serviceAccounts/"+q.account+"/quotaPolicy", sitetest.Bearer(q.provider), "").Want(t, 200)
	if !strings.Contains(string(a.Body), `"name":"renamed"`) {
		t.Errorf("the account holds %s", a.Body)
	}
	q.assign(t, q.provider, "serviceAccounts/"+q.account, "").Want(t, 202)
	q.do(t, "west", "DELETE", path, sitetest.Bearer(q.provider), "").Want(t, 204)
	// What is not there and what is nobody's are refused alike.
	for _, p := range []string{path, "/cloudapi/1.0.0/users/" + nobody + "/quotaPolicy", "/cloudapi/1.0.0/serviceAccounts/" + nobody + "/quotaPolicy"} {
		wantRefusal(t, p, q.do(t, "west", "GET", p, sitetest.Bearer(q.provider), ""), http.StatusForbidden)
	}
}
