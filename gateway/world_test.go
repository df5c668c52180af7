package gateway_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"causeway/federation/federationhttp"
	"causeway/internal/dev"
	"causeway/internal/httpapi"
	"causeway/internal/openapihttp"
	"causeway/internal/receiptshttp"
	"causeway/internal/refusalhttp"
	"causeway/internal/relayhttp"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
	"causeway/internal/trailhttp"
	"causeway/oauth/appshttp"
	"causeway/oauth/oauthhttp"
	"causeway/portal"
	"causeway/services/serviceshttp"
	"causeway/tenants/tenantshttp"
)

// world is a pair of sites whose databases the test can look into.
type world struct {
	*sitetest.Pair
	c   *sitetest.Client
	sql map[string]*sql.DB
	is  storetest.Kind
}

// each runs f against a world on each database.
func each(t *testing.T, f func(t *testing.T, w *world), options ...sitetest.Option) {
	t.Helper()
	for _, kind := range []storetest.Kind{storetest.SQLite, storetest.Postgres} {
		t.Run(string(kind), func(t *testing.T) { f(t, start(t, kind, options...)) })
	}
}

// strict runs f against a world on PostgreSQL, or on SQLite where there is none: for
// large tables of what is refused before a database sees it, or else by PostgreSQL,
// which takes less than SQLite.
func strict(t *testing.T, f func(t *testing.T, w *world), options ...sitetest.Option) {
	t.Helper()
	kind := storetest.Postgres
	if os.Getenv(storetest.Env) == "" && os.Getenv("CI") == "" {
		kind = storetest.SQLite
	}
	t.Run(string(kind), func(t *testing.T) { f(t, start(t, kind, options...)) })
}

func start(t *testing.T, kind storetest.Kind, options ...sitetest.Option) *world {
	t.Helper()
	w := &world{is: kind, sql: map[string]*sql.DB{}}
	var urls map[string]string
	w.Pair = sitetest.Start(t, kind, append(options, func(o *dev.Options) { urls = o.Databases })...)
	w.c = w.Client
	w.waitUntilReady(t)
	for _, site := range []string{"west", "east"} {
		driver, dsn := "pgx", urls[site]
		if kind == storetest.SQLite {
			driver, dsn = "sqlite", "file:"+filepath.Join(w.Folder, site, "causeway.db")+"?_pragma=busy_timeout(5000)&_pragma=query_only(1)"
		}
		db, err := sql.Open(driver, dsn)
		if err != nil {
			t.Fatal(err)
		}
		db.SetMaxOpenConns(1)
		t.Cleanup(func() { db.Close() })
		w.sql[site] = db
	}
	return w
}

// waitUntilReady waits until both sites are ready to serve.
func (w *world) waitUntilReady(t *testing.T) {
	t.Helper()
	for _, site := range []string{"west", "east"} {
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			a := w.c.Do(t, "GET", w.c.Site(site).Ops+"/readyz", nil, nil)
			if a.Status == http.StatusOK {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s does not get ready: %s", site, a.Body)
			}
		}
	}
}

// volatile may change without anybody's leave: when a session was last used,
// what came of a token request, how often an app has polled, which cells are there,
// which assertions were used, and what contact with another site says of it.
var volatile = map[string][]string{
	"sessions":          {"last_used"},
	"device_requests":   {"last_poll", "interval_micros"},
	"token_events":      {"*"},
	"refusals":          {"*"},
	"cells":             {"*"},
	"assertions":        {"*"},
	"leases":            {"*"},
	"site_associations": {"contacted_at", "dir_seq", "bundle", "bundle_seq"},
}

// rows is everything that a site's database holds, less what is volatile, one
// line for each row.
func (w *world) rows(t *testing.T, site string) []string {
	t.Helper()
	list := "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
	if w.is == storetest.SQLite {
		list = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
	}
	var all []string
	for _, table := range query(t, w.sql[site], list) {
		name := strings.TrimPrefix(table, "|")
		if slices.Equal(volatile[name], []string{"*"}) {
			continue
		}
		for _, row := range query(t, w.sql[site], "SELECT * FROM "+name, volatile[name]...) {
			all = append(all, name+row)
		}
	}
	if len(all) < 20 {
		t.Fatalf("%d rows: that is not the database", len(all))
	}
	slices.Sort(all)
	return all
}

func query(t *testing.T, db *sql.DB, statement string, less ...string) []string {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), statement)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	var all []string
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		var line strings.Builder
		for i, v := range values {
			if slices.Contains(less, columns[i]) {
				continue
			}
			if b, ok := v.([]byte); ok {
				v = hex.EncodeToString(b)
			}
			fmt.Fprintf(&line, "|%v", v)
		}
		all = append(all, line.String())
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// witness sees whether databases change.
type witness struct {
	w    *world
	seen map[string][]string
}

func (w *world) witness(t *testing.T, sites ...string) *witness {
	t.Helper()
	v := &witness{w: w, seen: map[string][]string{}}
	for _, site := range sites {
		v.seen[site] = w.rows(t, site)
	}
	return v
}

// unchanged fails the test where anything has changed since the last look.
func (v *witness) unchanged(t *testing.T) {
	t.Helper()
	for site, before := range v.seen {
		after := v.w.rows(t, site)
		if slices.Equal(before, after) {
			continue
		}
		v.seen[site] = after
		for _, row := range after {
			if !slices.Contains(before, row) {
				t.Errorf("%s has a new row: %s", site, row)
			}
		}
		for _, row := range before {
			if !slices.Contains(after, row) {
				t.Errorf("%s lost a row: %s", site, row)
			}
		}
	}
}

// look takes what is there now for given.
func (v *witness) look(t *testing.T) {
	t.Helper()
	for site := range v.seen {
		v.seen[site] = v.w.rows(t, site)
	}
}

// endpoint is a route, open or not.
type endpoint struct {
	method, path string
	rights       []string     // none: open to all
	list         httpapi.List // nil for what cannot be read at several locations
}

func (e endpoint) String() string { return e.method + " " + e.path }

func (e endpoint) open() bool { return len(e.rights) == 0 }

// endpoints are all that the handlers offer. TestNoEndpointIsForgotten holds
// them against what the gateway serves.
func endpoints() []endpoint {
	var all httpapi.Endpoints
	all.Add((&tenantshttp.Handler{}).Endpoints())
	all.Add((&oauthhttp.Handler{}).Endpoints())
	all.Add((&federationhttp.Handler{}).Endpoints())
	all.Add((&federationhttp.Keys{}).Endpoints())
	all.Add((&federationhttp.Associations{}).Endpoints())
	all.Add((&federationhttp.Explainer{}).Endpoints())
	all.Add((&refusalhttp.Handler{}).Endpoints())
	all.Add((&receiptshttp.Handler{}).Endpoints())
	all.Add((&serviceshttp.Handler{}).Endpoints())
	all.Add((&appshttp.Handler{}).Endpoints())
	all.Add((&trailhttp.Handler{}).Endpoints())
	all.Add((&relayhttp.Handler{}).Endpoints())
	if err := openapihttp.Add(&all); err != nil {
		panic(err) // every site would fail to start
	}
	var list []endpoint
	for _, rt := range all.Routes {
		e := endpoint{method: rt.Method, path: rt.Path, list: rt.List}
		for _, r := range rt.Rights {
			e.rights = append(e.rights, string(r))
		}
		list = append(list, e)
	}
	for _, rt := range all.Open {
		list = append(list, endpoint{method: rt.Method, path: rt.Path})
	}
	return list
}

// pages are what the portal offers, which is known by cookies: package portal tries
// all of them on who has no business there.
func pages(t *testing.T) (list []endpoint) {
	t.Helper()
	p, err := portal.New(portal.Config{})
	if err != nil {
		t.Fatal(err)
	}
	all := p.Endpoints()
	for _, page := range all.Pages {
		list = append(list, endpoint{method: page.Method, path: page.Path})
	}
	for _, rt := range all.Open {
		list = append(list, endpoint{method: rt.Method, path: rt.Path})
	}
	return list
}

var parameter = regexp.MustCompile(`([^/]*)/:(\w+)`)

// ofAnyName says that what is served says nothing about who exists: pages, and
// what realms say about themselves.
func (e endpoint) ofAnyName() bool {
	return e.open() && e.method == http.MethodGet
}

// kindOf names what an id in a path is of, by what stands before it, as in
// urn:vcloud:<kind>. A route with another kind of id needs a line here.
var kindOf = map[string]string{
	"org": "org", "orgs": "org", "organizations": "org", "users": "user", "serviceAccounts": "serviceAccount", "quotaPolicies": "quotaPolicy", "sessions": "session",
	"user": "user", "task": "task", "tasksList": "org", "tokens": "token",
	"roles": "role", "role": "role", "globalRoles": "globalRole", "rightsBundles": "rightsBundle",
	"rights": "right", "right": "right", "rightsCategories": "rightsCategory",
	"refusals":    "refusal",    // of which the id is a request's
	"receipts":    "receipt",    // a number, see TestReceipts_R4_R6
	"signingKeys": "signingKey", // the site's, see TestKeys_R5_R7
	"siteKeys":    "siteKey",    // the site's, see TestRootKeys_R10_VCD39
	// Of an organization; what has a parameter called site is a site's.
	"associations": "association", "site": "site",
	"serviceInstances": "serviceInstance", "service-instances": "serviceInstance", "service-accounts": "instanceAccount",
	"serviceDefinitions": "serviceDefinition", // the site's, see TestDefinitions_R7
	"auditWebhooks":      "auditWebhook",      // the site's
	"oauth-apps":         "app", "clients": "app", "custom-roles": "customRole",
	"orgRole": "orgRole", // by the name of the parameter: the same in each organization
}

// kind names what the parameter of a path is of, by its match.
func kind(m []string) (string, bool) {
	if m[2] == "site" || m[2] == "orgRole" {
		return m[2], true
	}
	k, ok := kindOf[m[1]]
	return k, ok
}

// allKinds is the same id for whatever a path names.
func allKinds(id string) map[string]string {
	ids := map[string]string{}
	for _, kind := range kindOf {
		ids[kind] = id
	}
	return ids
}

// fill puts values into a route's path: the organization's name, and ids by
// kind.
func (e endpoint) fill(t *testing.T, org string, ids map[string]string) string {
	t.Helper()
	return parameter.ReplaceAllStringFunc(e.path, func(s string) string {
		m := parameter.FindStringSubmatch(s)
		if m[2] == "org" && m[1] != "orgs" {
			return m[1] + "/" + org
		}
		of, ok := kind(m)
		if !ok {
			t.Fatalf("%s: say in kindOf what an id below %s is of", e, m[1])
		}
		id, ok := ids[of]
		if !ok {
			t.Fatalf("%s: the test has no id of a %s", e, of)
		}
		return m[1] + "/" + id
	})
}

// logsOut says that a success ends the session.
func (e endpoint) logsOut() bool {
	return e.method == http.MethodDelete && e.atTheDoor() && !strings.Contains(e.path, "/:") || strings.HasSuffix(e.path, "/auth/logout")
}

// atTheDoor says that one logs in and out there.
func (e endpoint) atTheDoor() bool {
	return strings.HasPrefix(e.path, "/cloudapi/1.0.0/sessions") || strings.HasPrefix(e.path, "/api/session") || e.path == "/api/login"
}

// nobody is an identifier that nothing has.
const nobody = "00000000-0000-4000-8000-000000000000"

var unknownIDs = allKinds(nobody)

// media is the content type that clients send with a body.
func (e endpoint) media() string {
	if strings.HasPrefix(e.path, "/oauth") && !strings.HasSuffix(e.path, "/register") {
		return "application/x-www-form-urlencoded"
	}
	return "application/json"
}

// do sends a request to a site.
func (w *world) do(t *testing.T, site, method, path string, header http.Header, body string) sitetest.Answer {
	t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	return w.c.Do(t, method, w.c.Site(site).API+path, header, r)
}

// wantRefusal checks that an answer is a refusal that every client of its
// neighbourhood can read, with nothing in it that helps to get in.
func wantRefusal(t *testing.T, path string, a sitetest.Answer, statuses ...int) {
	t.Helper()
	switch {
	case len(statuses) > 0 && !slices.Contains(statuses, a.Status):
		t.Errorf("status %d, want %d\n%.300s", a.Status, statuses, a.Body)
	case a.Status < 400 || a.Status >= 500 && !saysWait(path, a):
		t.Errorf("status %d is no refusal\n%.300s", a.Status, a.Body)
	}
	if got := a.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("a refusal may be cached: %q", got)
	}
	if got := a.Header.Get(httpapi.HeaderAccessToken); got != "" {
		t.Errorf("a refusal comes with a token")
	}
	if n := len(a.Header.Values(httpapi.HeaderRequestID)); n != 1 {
		t.Errorf("%d request ids", n)
	}
	var err error
	switch trimmed := strings.TrimLeft(path, "/"); {
	case strings.HasPrefix(trimmed, "oauth/"), strings.HasPrefix(trimmed, ".well-known/oauth-authorization-server"):
		err = members(a, "application/json", "error", "error_description", "error_uri", "minorErrorCode", "message", "stackTrace")
	case strings.HasPrefix(trimmed, "api/"):
		err = xmlRefusal(a)
	case strings.HasPrefix(trimmed, "csp/"):
		err = cspRefusal(a)
	default:
		err = members(a, "application/json;version="+httpapi.Version, "minorErrorCode", "message", "stackTrace")
	}
	if err != nil {
		t.Errorf("not a refusal in the dialect of %s: %v\n%.300s", path, err, a.Body)
	}
}

// saysWait is how the token endpoints below /csp do it: some clients take each 4xx for
// good.
func saysWait(path string, a sitetest.Answer) bool {
	return strings.HasPrefix(path, httpapi.CSPBase+"/auth/") && a.Status == http.StatusServiceUnavailable && a.Header.Get("Retry-After") != ""
}

// cspRefusal wants the two numbers beside the texts: clients read them as such.
func cspRefusal(a sitetest.Answer) error {
	var numbers struct {
		Status int `json:"statusCode"`
		Module int `json:"moduleCode"`
	}
	if err := json.Unmarshal(a.Body, &numbers); err != nil {
		return err
	}
	if numbers.Status != a.Status || numbers.Module == 0 {
		return fmt.Errorf("statusCode %d and moduleCode %d", numbers.Status, numbers.Module)
	}
	a.Body = []byte(strings.Replace(strings.Replace(string(a.Body), `"statusCode":`+strconv.Itoa(a.Status)+",", "", 1), `"moduleCode":`+strconv.Itoa(numbers.Module)+",", "", 1))
	return members(a, "application/json", "message", "errorCode", "cspErrorCode", "requestId", "traceId", "metadata", "error", "error_description")
}

func members(a sitetest.Answer, media string, names ...string) error {
	if got := a.Header.Get("Content-Type"); got != media {
		return fmt.Errorf("content type %s, want %s", got, media)
	}
	var got map[string]any
	if err := json.Unmarshal(a.Body, &got); err != nil {
		return err
	}
	for _, name := range names {
		v, ok := got[name]
		text, isText := v.(string)
		if !ok || (v != nil && !isText) || (isText && text == "") {
			return fmt.Errorf("member %s is %v", name, v)
		}
	}
	if len(got) != len(names) {
		return fmt.Errorf("%d members, want %v", len(got), names)
	}
	return nil
}

func xmlRefusal(a sitetest.Answer) error {
	if got := a.Header.Get("Content-Type"); got != "application/vnd.vmware.vcloud.error+xml;version="+httpapi.Version {
		return fmt.Errorf("content type %s", got)
	}
	var e struct {
		XMLName xml.Name `xml:"http://www.vmware.com/vcloud/v1.5 Error"`
		Major   int      `xml:"majorErrorCode,attr"`
		Minor   string   `xml:"minorErrorCode,attr"`
		Message string   `xml:"message,attr"`
	}
	if err := xml.Unmarshal(a.Body, &e); err != nil {
		return err
	}
	if e.Major != a.Status || e.Minor == "" || e.Message == "" {
		return fmt.Errorf("it says %+v", e)
	}
	return nil
}

var messageID = regexp.MustCompile(`\[ [0-9a-zA-Z-]+ \]|"(requestId|traceId)":"[0-9a-zA-Z-]+"`)

// masked is a body without the request id.
func masked(a sitetest.Answer) string {
	return string(messageID.ReplaceAll(bytes.TrimSpace(a.Body), []byte("[ … ]")))
}

func bare(urn string) string { return urn[strings.LastIndexByte(urn, ':')+1:] }
