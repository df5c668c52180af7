package sitetest

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	authContext   = "X-VMWARE-VCLOUD-AUTH-CONTEXT"
	tenantContext = "X-VMWARE-VCLOUD-TENANT-CONTEXT"
)

// crossing is the second half of the story: the account that exists at both
// sites goes from west to east.
type crossing struct {
	*stage
	admin          string // access token of acme's administrator at west
	client         string
	access, latest string
}

func (c *crossing) connect(t *testing.T) {
	c.admin = c.Login(t, "west", "acme")
	c.client, _ = c.Account(t, "west", c.admin, c.File.Account.Name)
	c.access, c.latest = c.ConnectAs(t, "west", "acme", c.admin, c.client)
}

// sample calls the sample service with the app's token.
func (c *crossing) sample(t *testing.T, method, what string, context ...string) Answer {
	t.Helper()
	return c.Do(t, method, c.Site("west").API+"/sample/"+what, Bearer(c.access, context...), nil)
}

func (c *crossing) byName(t *testing.T) {
	c.wantSample(t, c.access, "west", "acme")
	c.wantSample(t, c.access, "west", "acme", authContext, "acme")
	for _, header := range []string{authContext, strings.ToLower(authContext)} {
		h := http.Header{"Authorization": {"Bearer " + c.access}, header: {"acme-labs"}}
		got := c.Get(t, "west", "/sample/inventory", h).Want(t, http.StatusOK)
		body := got.JSON(t)
		if body["site"] != "east" || body["organization"] != "acme-labs" || body["principal"] != c.File.Account.Name {
			t.Errorf("%s: fulfilled as %v", header, body)
		}
		c.wantServedBy(t, got, "east", "acme-labs")
	}
}

// toEast are the ways to name east's acme, whose name alone is also west's.
func (c *crossing) toEast() [][]string {
	id := c.Site("east").Org("acme").ID
	return [][]string{
		{tenantContext, bare(id)},
		{tenantContext, id},
		{authContext, "acme", tenantContext, bare(id)},
		{authContext, "acme", tenantContext, id},
		{authContext, c.location("east", "acme")},
	}
}

func (c *crossing) byID(t *testing.T) {
	for _, context := range c.toEast() {
		if got := c.wantSample(t, c.access, "east", "acme", context...); got["role"] != "Inventory Auditor" {
			t.Errorf("%v: under the role %v, not that of east's account", context, got["role"])
		}
	}
	if got := c.wantSample(t, c.access, "west", "acme"); got["role"] != "Inventory Operator" {
		t.Errorf("at home under the role %v", got["role"])
	}
	disagree := c.sample(t, http.MethodGet, "inventory", authContext, "acme-labs", tenantContext, bare(c.Site("east").Org("acme").ID))
	disagree.Want(t, http.StatusBadRequest)
}

func (c *crossing) roles(t *testing.T) {
	east := c.toEast()[2]
	c.sample(t, http.MethodPost, "reservations").Want(t, http.StatusOK)
	c.sample(t, http.MethodPost, "reservations", east...).Want(t, http.StatusForbidden)
	c.sample(t, http.MethodGet, "audit").Want(t, http.StatusForbidden)
	c.sample(t, http.MethodGet, "audit", east...).Want(t, http.StatusOK)
}

// twins registers pairs of accounts that are more or less the same.
func (c *crossing) twins(t *testing.T) {
	labs, globex := c.Login(t, "east", "acme-labs"), c.Login(t, "east", "globex")
	const one, other = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
	for _, tt := range []struct {
		name       string
		there      string // the account's name at east; "" is none
		software   string
		status     int
		says       string
		unassigned string
	}{
		{name: "missing", status: http.StatusForbidden, says: "no service account named"},
		{name: "same name, other software ID", there: "same name, other software ID", software: other, status: http.StatusForbidden, says: "another software ID"},
		{name: "same software ID, other name", there: "twin", software: one, status: http.StatusForbidden, says: "no service account named"},
		{name: "both equal", there: "both equal", software: one, status: http.StatusOK},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id := c.Register(t, "west", "acme", c.admin, tt.name, one, "Inventory Operator")
			if tt.there != "" {
				c.Register(t, "east", "acme-labs", labs, tt.there, tt.software, "Inventory Operator")
				c.Register(t, "east", "globex", globex, tt.there, tt.software, "Inventory Operator")
			}
			access, _ := c.ConnectAs(t, "west", "acme", c.admin, id)
			c.wantSample(t, access, "west", "acme")
			got := c.Get(t, "west", "/sample/inventory", Bearer(access, authContext, "acme-labs")).Want(t, tt.status)
			if !strings.Contains(string(got.Body), tt.says) {
				t.Errorf("the answer does not say %q: %s", tt.says, got.Body)
			}
			// Equal or not: nobody is associated with globex.
			c.Get(t, "west", "/sample/inventory", Bearer(access, authContext, "globex")).Want(t, http.StatusForbidden)
		})
	}
}

var requestID = regexp.MustCompile(`\[ [^]]* \]`)

// unknown compares whole answers: what is there and what was made up must look
// the same but for the request's id and the time.
func (c *crossing) unknown(t *testing.T) {
	const id = "33333333-3333-4333-8333-333333333333"
	globex := bare(c.Site("east").Org("globex").ID)
	for name, pair := range map[string][2][]string{
		"by name":                      {{authContext, "globex"}, {authContext, "no-such"}},
		"by id":                        {{tenantContext, globex}, {tenantContext, id}},
		"by URN":                       {{tenantContext, "urn:vcloud:org:" + globex}, {tenantContext, "urn:vcloud:org:" + id}},
		"by location":                  {{authContext, c.location("east", "globex")}, {authContext, id + "@" + bare(c.Site("east").ID)}},
		"by name and id":               {{authContext, "globex", tenantContext, globex}, {authContext, "no-such", tenantContext, id}},
		"by a wrong name and its id":   {{authContext, "acme", tenantContext, globex}, {authContext, "acme", tenantContext, id}},
		"by a location at the own one": {{authContext, globex + "@" + bare(c.Site("west").ID)}, {authContext, id + "@" + bare(c.Site("west").ID)}},
	} {
		there := c.sample(t, http.MethodGet, "inventory", pair[0]...).Want(t, http.StatusForbidden)
		madeUp := c.sample(t, http.MethodGet, "inventory", pair[1]...).Want(t, http.StatusForbidden)
		if a, b := masked(there), masked(madeUp); a != b {
			t.Errorf("%s: globex answers\n%s\na made-up organization\n%s", name, a, b)
		}
	}
}

// masked is an answer without what differs from request to request.
func masked(a Answer) string {
	h := a.Header.Clone()
	for _, name := range []string{"Date", "X-Vmware-Vcloud-Request-Id"} {
		h.Del(name)
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(h)) {
		fmt.Fprintln(&b, name, h[name])
	}
	return fmt.Sprintf("%d\n%s%s", a.Status, b.String(), requestID.ReplaceAll(a.Body, []byte("[ id ]")))
}

// otherSoftware gives east's account another software ID, and its own back.
func (c *crossing) otherSoftware(t *testing.T) {
	admin := c.Login(t, "east", "acme-labs")
	client, account := c.Account(t, "east", admin, c.File.Account.Name)
	own := account["softwareId"]
	if own != c.File.Account.SoftwareID {
		t.Fatalf("east's account has the software ID %v", own)
	}
	c.wantSample(t, c.access, "east", "acme-labs", authContext, "acme-labs") // in every cache now

	account["softwareId"] = "44444444-4444-4444-8444-444444444444"
	c.Put(t, "east", Accounts(client), Bearer(admin), account).Want(t, http.StatusOK)
	got := c.sample(t, http.MethodGet, "inventory", authContext, "acme-labs").Want(t, http.StatusForbidden)
	if !strings.Contains(string(got.Body), "another software ID") {
		t.Errorf("the refusal does not say why: %s", got.Body)
	}
	c.wantSample(t, c.access, "west", "acme")
	c.wantSample(t, c.access, "east", "acme", c.toEast()[0]...)

	account["softwareId"] = own
	c.Put(t, "east", Accounts(client), Bearer(admin), account).Want(t, http.StatusOK)
	c.wantSample(t, c.access, "east", "acme-labs", authContext, "acme-labs")
}

func (c *crossing) outage(t *testing.T) {
	c.stop(t, "east")
	// Enough calls that the breaker opens: the answer must not depend on it.
	for i := range 8 {
		start := time.Now()
		got := c.sample(t, http.MethodGet, "inventory", authContext, "acme-labs").Want(t, http.StatusServiceUnavailable)
		took := time.Since(start)
		if seconds, err := strconv.Atoi(got.Header.Get("Retry-After")); err != nil || seconds < 1 || seconds > 30 {
			t.Errorf("Retry-After is %q", got.Header.Get("Retry-After"))
		}
		if minor := got.String(t, "minorErrorCode"); minor != "SITE_UNREACHABLE" {
			t.Errorf("the refusal is %s", minor)
		}
		if i == 0 {
			t.Logf("503 after %s", took.Round(time.Millisecond))
		}
		if took > 5*time.Second {
			t.Errorf("503 only after %s", took)
		}
		c.wantSample(t, c.access, "west", "acme")
	}
	// What cannot exist is refused as ever: an outage must not tell either.
	c.sample(t, http.MethodGet, "inventory", authContext, "globex").Want(t, http.StatusForbidden)
	got := c.Refresh(t, "west", "acme", c.latest).Want(t, http.StatusOK)
	c.access, c.latest = got.String(t, "access_token"), got.String(t, "refresh_token")
}

func (c *crossing) recovery(t *testing.T) {
	c.start(t, "east")
	c.recovered(t)
}

// recovered waits until calls reach east again. Nothing but 200 and 503 may be
// seen on the way.
func (c *crossing) recovered(t *testing.T) {
	start := time.Now()
	Eventually(t, time.Minute, "calls reach east again", func() bool {
		got := c.sample(t, http.MethodGet, "inventory", authContext, "acme-labs")
		if got.Status != http.StatusOK && got.Status != http.StatusServiceUnavailable {
			t.Fatalf("while east comes back: status %d\n%s", got.Status, got.Body)
		}
		return got.Status == http.StatusOK
	})
	t.Logf("calls reach east again %s after it was ready", time.Since(start).Round(time.Millisecond))
	c.wantSample(t, c.access, "east", "acme-labs", authContext, "acme-labs")
	c.wantSample(t, c.access, "east", "acme", c.toEast()[0]...)
}

func (c *crossing) revocation(t *testing.T) {
	// An older session of the same account, and the newest.
	older := c.access
	got := c.Refresh(t, "west", "acme", c.latest).Want(t, http.StatusOK)
	c.access, c.latest = got.String(t, "access_token"), got.String(t, "refresh_token")
	for _, access := range []string{older, c.access} {
		c.wantSample(t, access, "west", "acme")
		c.wantSample(t, access, "east", "acme-labs", authContext, "acme-labs")
	}
	c.Revoke(t, "west", c.admin, c.client)
	for _, access := range []string{older, c.access} {
		for _, context := range append(c.toEast(), nil, []string{authContext, "acme-labs"}) {
			c.Get(t, "west", "/sample/inventory", Bearer(access, context...)).Want(t, http.StatusUnauthorized)
		}
		c.Get(t, "east", "/sample/inventory", Bearer(access)).Want(t, http.StatusUnauthorized)
	}
	if word := c.Refresh(t, "west", "acme", c.latest).Want(t, http.StatusBadRequest).String(t, "error"); word != "invalid_grant" {
		t.Errorf("a refresh after the revocation is %s", word)
	}
	if _, account := c.Account(t, "west", c.admin, c.File.Account.Name); account["status"] != "CREATED" {
		t.Errorf("after the revocation the account is %v", account["status"])
	}
}
