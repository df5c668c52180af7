package gateway_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/federation"
	"causeway/federation/links"
	"causeway/internal/httpapi"
	"causeway/internal/journal"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

const (
	global    = "application/json;version=37.0;multisite=global"
	globalXML = "application/*+xml;version=37.0;multisite=global"
)

// spreadWorld is a pair of sites where one account may read lists in acme of both
// and in acme-labs of east.
type spreadWorld struct {
	*world
	reader string            // its token at west
	admin  map[string]string // tokens of administrators, by place
	ids    map[string]tenants.LocationID
}

// spreadPlaces are where the account is, west's first.
var spreadPlaces = []struct{ site, org string }{{"west", "acme"}, {"east", "acme"}, {"east", "acme-labs"}}

const readerSoftware = "0c8f1f3e-55d2-4a4e-9a4b-0a70e0a7a001"

func startSpread(t *testing.T, kind storetest.Kind, options ...sitetest.Option) *spreadWorld {
	t.Helper()
	w := &spreadWorld{world: start(t, kind, options...), admin: map[string]string{}, ids: map[string]tenants.LocationID{}}
	var client string
	for _, p := range spreadPlaces {
		name := p.site + " " + p.org
		w.admin[name] = w.c.Login(t, p.site, p.org)
		client = w.c.Register(t, p.site, p.org, w.admin[name], "reader", readerSoftware, "Organization Administrator")
		if p.site == "west" {
			w.reader, _ = w.c.ConnectAs(t, p.site, p.org, w.admin[name], client)
		}
		id, ok := tenants.ParseLocationID(bare(w.c.Site(p.site).Org(p.org).ID) + "@" + bare(w.c.Site(p.site).ID))
		if !ok {
			t.Fatal("no location id")
		}
		w.ids[name] = id
	}
	return w
}

// order are the places in the order of lists: west's, and then by location.
func (w *spreadWorld) order() []string {
	names := []string{"east acme", "east acme-labs"}
	slices.SortFunc(names, func(a, b string) int { return w.ids[a].Compare(w.ids[b]) })
	return append([]string{"west acme"}, names...)
}

// people makes users in a place.
func (w *spreadWorld) people(t *testing.T, place string, names ...string) {
	t.Helper()
	site, org, _ := strings.Cut(place, " ")
	role := w.c.Get(t, site, "/cloudapi/1.0.0/roles?filter=name==vApp%20User", sitetest.Bearer(w.admin[place])).Want(t, 200)
	var found struct{ Values []struct{ ID string } }
	if err := json.Unmarshal(role.Body, &found); err != nil || len(found.Values) != 1 {
		t.Fatalf("%v: %s", err, role.Body)
	}
	for _, name := range names {
		w.c.Post(t, site, "/cloudapi/1.0.0/users", sitetest.Bearer(w.admin[place]), map[string]any{
			"username": name, "password": longPassword, "enabled": true, "fullName": strings.ToUpper(name[:1]) + " " + org,
			"roleEntityRefs": []map[string]string{{"id": found.Values[0].ID}},
		}).Want(t, 201)
	}
}

func (w *spreadWorld) get(t *testing.T, path, accept string, more ...string) sitetest.Answer {
	t.Helper()
	return w.do(t, "west", "GET", path, sitetest.Bearer(w.reader, append([]string{"Accept", accept}, more...)...), "")
}

type listed struct {
	Total    int               `json:"resultTotal"`
	Pages    int               `json:"pageCount"`
	Page     int               `json:"page"`
	Size     int               `json:"pageSize"`
	Values   []json.RawMessage `json:"values"`
	Warnings []struct {
		Location string
		Status   int
		Code     string
	} `json:"multisiteWarnings"`
}

func readList(t *testing.T, a sitetest.Answer) (l listed) {
	t.Helper()
	if err := json.Unmarshal(a.Want(t, 200).Body, &l); err != nil {
		t.Fatal(err)
	}
	return l
}

func member(t *testing.T, values []json.RawMessage, name string) (all []string) {
	t.Helper()
	for _, v := range values {
		var m map[string]any
		if err := json.Unmarshal(v, &m); err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprint(m[name]))
	}
	return all
}

// parts are the lists of the single places, read through west.
func (w *spreadWorld) parts(t *testing.T, path string) (values []json.RawMessage) {
	t.Helper()
	for _, name := range w.order() {
		values = append(values, readList(t, w.get(t, path, "application/json", httpapi.HeaderAuthContext, w.ids[name].String())).Values...)
	}
	return values
}

var nextLink = regexp.MustCompile(`<([^>]*)>;rel="nextPage"`)

// walk reads a list to its end, by links or by numbers of the client's own.
func (w *spreadWorld) walk(t *testing.T, path, query string, size int, forged bool) (values []json.RawMessage) {
	t.Helper()
	next := fmt.Sprintf("%s?pageSize=%d%s", path, size, query)
	for page := 1; ; page++ {
		a := w.get(t, next, global)
		l := readList(t, a)
		values = append(values, l.Values...)
		if l.Page != page || l.Size != size || l.Pages != (l.Total+size-1)/size || len(l.Warnings) > 0 {
			t.Fatalf("page %d is %+v", page, l)
		}
		link := nextLink.FindStringSubmatch(a.Header.Get("Link"))
		if (link != nil) != (page < l.Pages) {
			t.Fatalf("page %d of %d has links %s", page, l.Pages, a.Header.Get("Link"))
		}
		if link == nil {
			return values
		}
		next = strings.TrimPrefix(link[1], w.c.Site("west").API)
		if forged {
			next = fmt.Sprintf("%s?pageSize=%d&page=%d%s", path, size, page+1, query)
		}
	}
}

// TestSpread_AllPlaces: the pages together are the lists of the single places one
// after the other, by whichever way a client goes through them; sorted, they are
// one sorted list.
func TestSpread_VCD40_AllPlaces(t *testing.T) {
	for _, kind := range []storetest.Kind{storetest.SQLite, storetest.Postgres} {
		t.Run(string(kind), func(t *testing.T) {
			w := startSpread(t, kind)
			w.people(t, "west acme", "b-west", "D-west")
			w.people(t, "east acme", "a-east", "c-east", "e-east")
			w.people(t, "east acme-labs", "aa-labs", "d-labs")
			const users = "/cloudapi/1.0.0/users"
			want := w.parts(t, users)
			for _, size := range []int{4, 128} {
				for _, forged := range []bool{false, true} {
					if got := w.walk(t, users, "", size, forged); !slices.Equal(texts(got), texts(want)) {
						t.Errorf("size %d, forged %v:\n got %s\nwant %s", size, forged, got, want)
					}
					for _, sort := range []string{"sortAsc", "sortDesc"} {
						names := member(t, want, "username")
						slices.Sort(names)
						if sort == "sortDesc" {
							slices.Reverse(names)
						}
						got := member(t, w.walk(t, users, "&"+sort+"=username", size, forged), "username")
						if !slices.Equal(got, names) {
							t.Errorf("size %d, forged %v, %s:\n got %s\nwant %s", size, forged, sort, got, names)
						}
					}
				}
			}
			filtered := w.walk(t, users, "&filter="+url.QueryEscape("username==*east"), 2, false)
			if got := member(t, filtered, "username"); len(got) != 3 {
				t.Errorf("the filter finds %s", got)
			}
			w.queries(t)
		})
	}
}

func texts(values []json.RawMessage) (all []string) {
	for _, v := range values {
		all = append(all, string(v))
	}
	return all
}

// queries are the legacy lists, in both dialects.
func (w *spreadWorld) queries(t *testing.T) {
	var lists [2][]string
	for i, accept := range []string{globalXML, "application/*+json;multisite=global"} {
		for page := 1; page <= 3; page++ {
			a := w.get(t, fmt.Sprintf("/api/query?type=user&sortDesc=name&pageSize=4&page=%d", page), accept).Want(t, 200)
			records, total := userRecords(t, a, i == 1)
			if total != 10 {
				t.Fatalf("page %d says %d in all: %s", page, total, a.Body)
			}
			lists[i] = append(lists[i], records...)
		}
	}
	want := slices.Clone(lists[0])
	slices.Sort(want)
	slices.Reverse(want)
	if len(lists[0]) != 10 || !slices.Equal(lists[0], lists[1]) || !slices.Equal(lists[0], want) {
		t.Errorf("in XML %s\nin JSON %s", lists[0], lists[1])
	}
	for _, format := range []string{"idrecords", "references"} {
		a := w.get(t, "/api/query?type=user&sortAsc=name&format="+format, globalXML).Want(t, 200)
		if n := strings.Count(string(a.Body), "urn:vcloud:user:"); n != 10 || xml.Unmarshal(a.Body, new(any)) != nil {
			t.Errorf("%s has %d users: %s", format, n, a.Body)
		}
	}
	orgs := w.get(t, "/api/org", globalXML).Want(t, 200)
	var list struct {
		Orgs []struct {
			Name string `xml:"name,attr"`
			Href string `xml:"href,attr"`
		} `xml:"Org"`
	}
	if err := xml.Unmarshal(orgs.Body, &list); err != nil || len(list.Orgs) != 3 || list.Orgs[0].Name != "acme" {
		t.Errorf("%v: %s", err, orgs.Body)
	}
	for i, name := range w.order() { // each with its own site's address
		site, _, _ := strings.Cut(name, " ")
		if i < len(list.Orgs) && !strings.HasPrefix(list.Orgs[i].Href, w.c.Site(site).API) {
			t.Errorf("the organization of %s is at %s", name, list.Orgs[i].Href)
		}
	}
}

func userRecords(t *testing.T, a sitetest.Answer, asJSON bool) (names []string, total int) {
	t.Helper()
	var x struct {
		Total   int `xml:"total,attr"`
		Records []struct {
			Name string `xml:"name,attr"`
		} `xml:"UserRecord"`
	}
	var j struct {
		Total  int `json:"total"`
		Record []struct{ Name string }
	}
	if asJSON {
		if err := json.Unmarshal(a.Body, &j); err != nil {
			t.Fatal(err)
		}
		for _, r := range j.Record {
			names = append(names, r.Name)
		}
		return names, j.Total
	}
	if err := xml.Unmarshal(a.Body, &x); err != nil {
		t.Fatalf("%v: %s", err, a.Body)
	}
	for _, r := range x.Records {
		names = append(names, r.Name)
	}
	return names, x.Total
}

// TestSpread_Scopes: where a request may want its list from, and what it is told
// when it may not.
func TestSpread_Scopes(t *testing.T) {
	w := startSpread(t, storetest.SQLite)
	east, labs, own := w.ids["east acme"].String(), w.ids["east acme-labs"].String(), w.ids["west acme"].String()
	for _, tt := range []struct {
		name, method, path, accept string
		header                     []string
		status                     int
		code                       string
		total                      int
	}{
		{"everywhere", "GET", "/cloudapi/1.0.0/orgs", global, nil, 200, "", 3},
		{"here", "GET", "/cloudapi/1.0.0/orgs", "application/json;multisite=local", nil, 200, "", 1},
		{"not said", "GET", "/cloudapi/1.0.0/orgs", "application/json", nil, 200, "", 1},
		{"one elsewhere", "GET", "/cloudapi/1.0.0/orgs", "application/json;multisite=" + east, nil, 200, "", 1},
		{"two, by a comma", "GET", "/cloudapi/1.0.0/orgs", "application/json;multisite=" + own + "," + labs + ";version=37.0", nil, 200, "", 2},
		{"two, by a colon", "GET", "/cloudapi/1.0.0/orgs", "application/*+json;multisite=" + east + ":" + labs + ",application/json;multisite=" + labs + ":" + east, nil, 200, "", 2},
		{"own organization in the context", "GET", "/cloudapi/1.0.0/orgs", global, []string{httpapi.HeaderAuthContext, "acme", httpapi.HeaderTenantContext, bare(w.c.Site("west").Org("acme").ID)}, 200, "", 3},
		{"an unknown location", "GET", "/cloudapi/1.0.0/orgs", "application/json;multisite=" + nobody + "@" + nobody, nil, 400, "INVALID_MULTISITE_SCOPE", 0},
		{"one that is not associated", "GET", "/cloudapi/1.0.0/orgs", "application/json;multisite=" + bare(w.c.Site("east").Org("globex").ID) + "@" + bare(w.c.Site("east").ID), nil, 400, "INVALID_MULTISITE_SCOPE", 0},
		{"a word", "GET", "/cloudapi/1.0.0/orgs", "application/json;multisite=everywhere", nil, 400, "INVALID_MULTISITE_QUERY_ARGS", 0},
		{"nothing", "GET", "/cloudapi/1.0.0/orgs", "application/json;multisite=", nil, 400, "INVALID_MULTISITE_QUERY_ARGS", 0},
		{"two values", "GET", "/cloudapi/1.0.0/orgs", "application/*+json;multisite=global, application/json;multisite=local", nil, 400, "INVALID_MULTISITE_QUERY_ARGS", 0},
		{"a change", "DELETE", "/cloudapi/1.0.0/orgs/" + nobody, global, nil, 400, "INVALID_MULTISITE_SCOPE", 0},
		{"no list", "GET", "/cloudapi/1.0.0/sessions/current", global, nil, 200, "", 0},
		{"no list, elsewhere", "GET", "/cloudapi/1.0.0/sessions/current", "application/json;multisite=" + east, nil, 400, "INVALID_MULTISITE_SCOPE", 0},
		{"from another place", "GET", "/cloudapi/1.0.0/orgs", global, []string{httpapi.HeaderAuthContext, east}, 400, "INVALID_MULTISITE_SCOPE", 0},
		{"a bad filter", "GET", "/cloudapi/1.0.0/orgs?filter=x", global, nil, 400, "BAD_REQUEST", 0},
		{"sorted by what is not there", "GET", "/cloudapi/1.0.0/orgs?sortAsc=nothing", global, nil, 400, "BAD_REQUEST", 0},
		{"sorted twice", "GET", "/cloudapi/1.0.0/orgs?sortAsc=name&sortDesc=name", global, nil, 400, "BAD_REQUEST", 0},
		{"page 0", "GET", "/cloudapi/1.0.0/orgs?page=0", global, nil, 400, "BAD_REQUEST", 0},
		{"far into a sorted list", "GET", "/cloudapi/1.0.0/orgs?page=101&pageSize=100&sortAsc=name", global, nil, 400, "INVALID_MULTISITE_QUERY_ARGS", 0},
		{"a cursor of one's own", "GET", "/cloudapi/1.0.0/orgs?assocOffsets=AAAA.AAAA", global, nil, 400, "INVALID_MULTISITE_QUERY_ARGS", 0},
		{"a cursor and no word of other places", "GET", "/cloudapi/1.0.0/orgs?assocOffsets=AAAA.AAAA", "application/json", nil, 400, "INVALID_MULTISITE_QUERY_ARGS", 0},
		{"references by what they do not show", "GET", "/api/query?type=user&format=references&sortAsc=fullName", "application/*+json;multisite=global", nil, 400, "INVALID_MULTISITE_QUERY_ARGS", 0},
		{"no query type", "GET", "/api/query", "application/*+json;multisite=global", nil, 200, "", 0},
		{"an instance that shows no list", "GET", "/sample/inventory", global, nil, 400, "INVALID_MULTISITE_SCOPE", 0},
		{"a change of an instance", "POST", "/sample/reservations", global, nil, 400, "INVALID_MULTISITE_SCOPE", 0},
	} {
		a := w.do(t, "west", tt.method, tt.path, sitetest.Bearer(w.reader, append([]string{"Accept", tt.accept}, tt.header...)...), "")
		if a.Status != tt.status || a.String(t, "minorErrorCode") != tt.code {
			t.Errorf("%s: %d %s", tt.name, a.Status, a.Body)
		}
		if tt.total > 0 && readList(t, a).Total != tt.total {
			t.Errorf("%s: %s", tt.name, a.Body)
		}
		if warned := a.Header.Values(httpapi.HeaderMultisiteWarning); len(warned) > 0 {
			t.Errorf("%s: %s", tt.name, warned)
		}
	}
}

// TestSpread_SomeMissing: what cannot be had is named, and nobody waits for what
// is known to be away; who wants all or nothing gets nothing.
func TestSpread_SomeMissing(t *testing.T) {
	w := startSpread(t, storetest.SQLite)
	// People are not mapped: east lets no administrator of west in.
	admin := sitetest.Bearer(w.admin["west acme"], "Accept", global)
	l := readList(t, w.do(t, "west", "GET", "/cloudapi/1.0.0/orgs", admin, ""))
	if len(l.Warnings) != 2 || l.Warnings[0].Status != 403 || l.Warnings[0].Code != "ACCESS_TO_RESOURCE_IS_FORBIDDEN" || l.Total != 1 {
		t.Errorf("the administrator is shown %+v", l)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := w.StopSite(ctx, "east"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		a := w.get(t, "/cloudapi/1.0.0/orgs", global).Want(t, 200)
		warned := a.Header.Values(httpapi.HeaderMultisiteWarning)
		want := w.ids[w.order()[1]].String() + ";status=503;code=SITE_UNREACHABLE"
		if len(warned) != 2 || warned[0] != want || a.Header.Get("Cache-Control") != "no-store" || readList(t, a).Total != 1 {
			t.Errorf("warned %q, %v\n%s", warned, a.Header, a.Body)
		}
	}
	xml := w.get(t, "/api/org", globalXML).Want(t, 200)
	if len(xml.Header.Values(httpapi.HeaderMultisiteWarning)) != 2 || strings.Count(string(xml.Body), "<Org ") != 1 {
		t.Errorf("in XML: %v %s", xml.Header, xml.Body)
	}
	strict := w.get(t, "/cloudapi/1.0.0/orgs", global, "Prefer", `respond-async, handling="strict"`).Want(t, 503)
	if !strings.Contains(string(strict.Body), w.ids["east acme"].String()) || strict.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("strictly: %s", strict.Body)
	}
	w.setStatus(t, "west", "east", federation.Unreachable)
	start := time.Now()
	if l := readList(t, w.get(t, "/cloudapi/1.0.0/orgs", global)); len(l.Warnings) != 2 || time.Since(start) > 2*time.Second {
		t.Errorf("after %v: %+v", time.Since(start), l)
	}
	w.get(t, "/cloudapi/1.0.0/orgs", "application/json;multisite="+w.ids["east acme"].String()).Want(t, 503)
	w.setStatus(t, "west", "east", federation.Asymmetric) // last: while east runs, its next word confirms the association
	if l := readList(t, w.get(t, "/cloudapi/1.0.0/orgs", global)); len(l.Warnings) != 0 || l.Total != 1 {
		t.Errorf("with an association that is not confirmed: %+v", l)
	}
}

// setStatus writes what contact would have found out.
func (w *world) setStatus(t *testing.T, at, of string, status federation.Status) {
	t.Helper()
	id := tenants.SiteID(bare(w.c.Site(of).ID))
	w.federate(t, at, func(tx federation.Tx) error {
		a, err := tx.SiteAssociation(id)
		if err != nil {
			return err
		}
		if _, err := tx.SetSiteStatus(id, a.Status, federation.StatusChange{Status: status, At: time.Now().UTC()}); err != nil {
			return err
		}
		return tx.Record(journal.Entry{
			At: time.Now().UTC(), Org: string(tenants.SystemOrgID), Actor: journal.System, Action: journal.SiteAssociated,
			Subject: journal.Subject{Kind: journal.KindSite, ID: string(id), Name: of},
		})
	})
}

func (w *world) federate(t *testing.T, site string, f func(federation.Tx) error) {
	t.Helper()
	if err := w.Site(site).DB().Federation().InTx(context.Background(), f); err != nil {
		t.Fatal(err)
	}
}

// associate writes both halves of an association of organizations.
func (w *world) associate(t *testing.T, a, b tenants.LocationID, siteA, siteB string, people bool) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Microsecond)
	for _, half := range []struct {
		site, there string
		own, remote tenants.LocationID
	}{{siteA, siteB, a, b}, {siteB, siteA, b, a}} {
		s := w.Site(half.there)
		key, err := links.EnsureOrgKey(context.Background(), s.DB().Federation(), s.Keys(), half.remote.Org, now)
		if err != nil {
			t.Fatal(err)
		}
		public, err := links.EncodePublicKey(&key.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		w.federate(t, half.site, func(tx federation.Tx) error {
			if err := tx.PutOrgAssociation(federation.OrgAssociation{
				Local: half.own.Org, Remote: half.remote.Org, RemoteName: "remote", Site: half.remote.Site, PublicKey: public,
				MapUsers: people, RemoteEnabled: true, Status: federation.StatusActive, CreatedAt: now,
			}); err != nil {
				return err
			}
			return tx.Record(journal.Entry{
				At: now, Org: string(half.own.Org), Actor: journal.System, Action: journal.OrgAssociated,
				Subject: journal.Subject{Kind: journal.KindOrgAssociation, ID: string(half.remote.Org), Name: "remote"},
			})
		})
	}
}

// TestSpread_InsideTheSite: organizations of one site that are associated are
// read like those of others, by whom the other organization knows and no further.
func TestSpread_InsideTheSite(t *testing.T) {
	w := startSpread(t, storetest.SQLite)
	acme, labs := w.ids["east acme"], w.ids["east acme-labs"]
	w.associate(t, acme, labs, "east", "east", false)
	w.people(t, "east acme-labs", "somebody")
	id, _ := w.c.Account(t, "east", w.admin["east acme"], "reader")
	app, _ := w.c.ConnectAs(t, "east", "acme", w.admin["east acme"], id)
	read := func(token string) listed {
		return readList(t, w.do(t, "east", "GET", "/cloudapi/1.0.0/users", sitetest.Bearer(token, "Accept", "application/json;multisite="+acme.String()+","+labs.String()), ""))
	}
	if l := read(app); l.Total != 3 || !slices.Contains(member(t, l.Values, "username"), "somebody") || len(l.Warnings) > 0 {
		t.Errorf("the account is shown %+v", l)
	}
	l := read(w.admin["east acme"]) // of whom acme-labs was not asked
	if l.Total != 1 || len(l.Warnings) != 1 || l.Warnings[0].Location != labs.String() || l.Warnings[0].Status != 403 {
		t.Errorf("the administrator is shown %+v", l)
	}
	// A provider acting in a tenant sees what that is associated with.
	provider := sitetest.Bearer(w.c.Login(t, "east", "System"), "Accept", global, httpapi.HeaderTenantContext, string(acme.Org))
	l = readList(t, w.do(t, "east", "GET", "/cloudapi/1.0.0/users", provider, ""))
	if l.Total != 3 || len(l.Warnings) != 1 || l.Warnings[0].Location != w.ids["west acme"].String() || l.Warnings[0].Status != 403 {
		t.Errorf("the provider is shown %+v", l) // there is no association of the providers
	}
}

// TestSpread_Providers: the provider's list of organizations is that of both.
func TestSpread_Providers(t *testing.T) {
	w := start(t, storetest.SQLite)
	at := func(site string) tenants.LocationID {
		return tenants.LocationID{Org: tenants.SystemOrgID, Site: tenants.SiteID(bare(w.c.Site(site).ID))}
	}
	w.associate(t, at("west"), at("east"), "west", "east", true)
	var sum int
	for _, site := range []string{"west", "east"} {
		l := readList(t, w.do(t, site, "GET", "/cloudapi/1.0.0/orgs", sitetest.Bearer(w.c.Login(t, site, "System")), ""))
		sum += l.Total
	}
	for _, site := range []string{"west", "east"} {
		l := readList(t, w.do(t, site, "GET", "/cloudapi/1.0.0/orgs", sitetest.Bearer(w.c.Login(t, site, "System"), "Accept", global), ""))
		if l.Total != sum || len(l.Values) != sum || len(l.Warnings) > 0 {
			t.Errorf("%s shows %d of %d, %v", site, l.Total, sum, l.Warnings)
		}
	}
}
