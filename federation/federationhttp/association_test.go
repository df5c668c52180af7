package federationhttp_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"causeway/internal/httpapi"
	"causeway/internal/sitetest"
)

const (
	asXML   = "application/*+xml;version=37.0"
	ownBase = httpapi.OwnAPI
)

// member is association data as the SDK reads it, of a site or organization.
type member struct {
	XMLName   xml.Name
	Href      string `xml:"href,attr"`
	Type      string `xml:"type,attr"`
	SiteID    string `xml:"SiteId"`
	SiteName  string
	OrgID     string `xml:"OrgId"`
	OrgName   string
	PublicKey string
	OrgKey    string `xml:"OrgPublicKey"`
	Rest      string `xml:"RestEndpoint"`
	Authority string `xml:"RestEndpointCertificate"`
	Status    string
}

type members struct {
	Sites []member `xml:"SiteAssociationMember"`
	Orgs  []member `xml:"OrgAssociationMember"`
}

// person is somebody at a site.
type person struct {
	t     *testing.T
	c     *sitetest.Client
	site  string
	token string
}

func login(t *testing.T, p *sitetest.Pair, site, org string) person {
	t.Helper()
	return person{t, p.Client, site, p.Client.Login(t, site, org)}
}

// do sends a document of /api.
func (p person) do(method, path, body string) sitetest.Answer {
	p.t.Helper()
	h := sitetest.Bearer(p.token, "Accept", asXML)
	if body != "" {
		h.Set("Content-Type", "application/*+xml")
	}
	url := path
	if !strings.HasPrefix(path, "https://") {
		url = p.c.Site(p.site).API + path
	}
	return p.c.Do(p.t, method, url, h, strings.NewReader(body))
}

// own sends a document of our own API.
func (p person) own(method, path, body string) sitetest.Answer {
	p.t.Helper()
	return p.c.Do(p.t, method, p.c.Site(p.site).API+ownBase+path, sitetest.Bearer(p.token, "Content-Type", "application/json"), strings.NewReader(body))
}

func (p person) read(path string, into any) string {
	p.t.Helper()
	a := p.do("GET", path, "").Want(p.t, http.StatusOK)
	if err := xml.Unmarshal(a.Body, into); err != nil {
		p.t.Fatalf("%v\n%s", err, a.Body)
	}
	return string(a.Body)
}

// task wants a task that is done, and that can be read again.
func (p person) task(a sitetest.Answer) {
	p.t.Helper()
	a.Want(p.t, http.StatusAccepted)
	var task struct {
		Href   string `xml:"href,attr"`
		Status string `xml:"status,attr"`
	}
	if err := xml.Unmarshal(a.Body, &task); err != nil || task.Status != "success" {
		p.t.Fatalf("%v %+v\n%s", err, task, a.Body)
	}
	p.do("GET", task.Href, "").Want(p.t, http.StatusOK)
}

func (p person) sites() []member {
	p.t.Helper()
	var m members
	p.read("/api/site/associations", &m)
	return m.Sites
}

func orgPath(id string) string {
	return "/api/admin/org/" + strings.TrimPrefix(id, "urn:vcloud:org:") + "/associations"
}

func (p person) orgs(org string) []member {
	p.t.Helper()
	var m members
	p.read(orgPath(p.c.Site(p.site).Org(org).ID), &m)
	return m.Orgs
}

// data is what an organization hands out of itself.
func (p person) data(org string) (m member, body string) {
	p.t.Helper()
	body = p.read(orgPath(p.c.Site(p.site).Org(org).ID)+"/localAssociationData", &m)
	return m, body
}

func wantStatus(t *testing.T, list []member, id, status string) {
	t.Helper()
	for _, m := range list {
		if m.OrgID == id || m.OrgID == "" && m.SiteID == id {
			if m.Status != status {
				t.Errorf("%s is %s, want %s", id, m.Status, status)
			}
			return
		}
	}
	t.Errorf("%s is not in the list %+v", id, list)
}

// One pair of sites serves all of it, in an order in which it works.
func TestAssociations_VCD40(t *testing.T) {
	t.Parallel()
	sitetest.Each(t, func(t *testing.T, p *sitetest.Pair) {
		for _, tt := range []struct {
			name string
			run  func(*testing.T, *sitetest.Pair)
		}{
			{"mistakes about sites", siteMistakes}, {"mistakes about organizations R6", orgMistakes}, {"settings R7", settings},
			{"inside one site", insideOneSite}, {"sites", siteAssociations},
		} {
			t.Run(tt.name, func(t *testing.T) { tt.run(t, p) })
		}
	})
}

// A site hands out what another one takes in; the same again changes nothing;
// another key is refused, and replaced only as a step of its own; and what
// organizations lean on is not pulled away.
func siteAssociations(t *testing.T, p *sitetest.Pair) {
	west, east := login(t, p, "west", sitetest.System), login(t, p, "east", sitetest.System)
	var site struct {
		ID    string   `xml:"id,attr"`
		Rest  string   `xml:"RestEndpoint"`
		URL   string   `xml:"MultiSiteUrl"`
		Known []member `xml:"SiteAssociations>SiteAssociationMember"`
	}
	west.read("/api/site", &site)
	if site.ID != p.Client.Site("west").ID || site.Rest != p.Client.Site("west").API+"/api" || site.URL == "" || len(site.Known) != 1 {
		t.Errorf("the site is %+v", site)
	}
	var data member
	body := east.read("/api/site/associations/localAssociationData", &data)
	if data.Type != "application/vnd.vmware.admin.siteAssociation+xml" || data.SiteID != p.Client.Site("east").ID || data.Status != "" ||
		!strings.Contains(data.PublicKey, "BEGIN PUBLIC KEY") || !strings.Contains(data.Authority, "BEGIN CERTIFICATE") || data.SiteName != "east" {
		t.Errorf("association data is %s", body)
	}
	list := west.sites()
	held := list[0]
	if len(list) != 1 || held.PublicKey != data.PublicKey || held.Authority != data.Authority || held.Rest != data.Rest {
		t.Fatalf("%+v\n%+v", list, data)
	}

	refused := west.do("DELETE", held.Href, "").Want(t, http.StatusConflict)
	if !bytes.Contains(refused.Body, []byte("2 associations")) || len(west.sites()) != 1 {
		t.Errorf("%s", refused.Body)
	}
	west.task(west.do("POST", "/api/site/associations", body)) // it is there already
	west.do("POST", "/api/site/associations", anotherKey(t, body)).Want(t, http.StatusConflict)
	east.task(east.do("PUT", "/api/site/associations/localAssociationData", strings.Replace(body, "<SiteName>east<", "<SiteName>East &amp; co<", 1)))
	var renamed member
	body = east.read("/api/site/associations/localAssociationData", &renamed)
	if renamed.SiteName != "East & co" || renamed.PublicKey != data.PublicKey {
		t.Errorf("renamed: %s", body)
	}
	west.task(west.do("PUT", held.Href, body))
	if got := west.sites()[0]; got.SiteName != "East & co" || got.PublicKey != data.PublicKey {
		t.Errorf("%+v", got)
	}

	west.own("DELETE", "/siteAssociations/"+data.SiteID, "").Want(t, http.StatusConflict)
	west.own("DELETE", "/siteAssociations/"+data.SiteID+"?force=perhaps", "").Want(t, http.StatusBadRequest)
	west.own("DELETE", "/siteAssociations/"+data.SiteID+"?force=true", "").Want(t, http.StatusNoContent)
	if left := len(west.sites()) + len(login(t, p, "west", "acme").orgs("acme")); left != 0 {
		t.Errorf("%d associations are left", left)
	}
	west.task(west.do("POST", "/api/site/associations", body))
	if got := west.sites(); len(got) != 1 || got[0].SiteID != data.SiteID { // ACTIVE as soon as east, which kept its side, calls
		t.Errorf("%+v", got)
	}
	west.task(west.do("PUT", "/api/site/associations", `<SiteAssociations xmlns="http://www.vmware.com/vcloud/v1.5"/>`))
	if got := west.sites(); len(got) != 0 {
		t.Errorf("the empty list leaves %+v", got)
	}
	west.do("DELETE", held.Href, "").Want(t, http.StatusForbidden)
}

// Each mistake in association data is refused as such, and nothing is changed.
func siteMistakes(t *testing.T, p *sitetest.Pair) {
	west := login(t, p, "west", sitetest.System)
	before := west.do("GET", "/api/site/associations", "").Want(t, http.StatusOK)
	var own member
	good := west.read("/api/site/associations/localAssociationData", &own)
	stranger := strings.ReplaceAll(good, own.SiteID, "urn:vcloud:site:11111111-2222-4333-8444-555555555555")
	for name, body := range map[string]string{
		"itself":            good,
		"no key":            between(stranger, "<PublicKey>", "</PublicKey>", ""),
		"no PEM":            between(stranger, "<PublicKey>", "</PublicKey>", "key"),
		"plain HTTP":        between(stranger, "<RestEndpoint>", "</RestEndpoint>", "http://east.example.com/api"),
		"no address":        between(stranger, "<RestEndpoint>", "</RestEndpoint>", "https:///api"),
		"another path":      between(stranger, "<RestEndpoint>", "</RestEndpoint>", "https://east.example.com/other"),
		"a password":        between(stranger, "<RestEndpoint>", "</RestEndpoint>", "https://a:b@east.example.com/api"),
		"a query":           between(stranger, "<RestEndpoint>", "</RestEndpoint>", "https://east.example.com/api?x=y"),
		"no certificate":    between(stranger, "<RestEndpointCertificate>", "</RestEndpointCertificate>", "PEM"),
		"no name of ours":   between(stranger, "<SiteName>", "</SiteName>", strings.Repeat("x", 200)),
		"no identifier":     between(stranger, "<SiteId>", "</SiteId>", "east"),
		"an organization":   between(stranger, "<SiteId>", "</SiteId>", "urn:vcloud:org:11111111-2222-4333-8444-555555555555"),
		"another element":   `<OrgAssociationMember xmlns="http://www.vmware.com/vcloud/v1.5"/>`,
		"an entity":         `<!DOCTYPE x [<!ENTITY a "b">]>` + stranger,
		"nothing":           "",
		"twice in one list": `<SiteAssociations>` + inner(stranger) + inner(stranger) + `</SiteAssociations>`,
	} {
		method := "POST"
		if strings.HasPrefix(name, "twice") {
			method = "PUT"
		}
		if a := west.do(method, "/api/site/associations", body); a.Status != http.StatusBadRequest {
			t.Errorf("%s: status %d\n%s", name, a.Status, a.Body)
		}
	}
	json := p.Client.Do(t, "PUT", p.Client.Site("west").API+"/api/site/associations",
		sitetest.Bearer(west.token, "Accept", "application/*+json;version=37.0", "Content-Type", "application/*+json"), strings.NewReader(`{"member":[]}`))
	json.Want(t, http.StatusBadRequest)
	if after := west.do("GET", "/api/site/associations", ""); !bytes.Equal(after.Body, before.Body) {
		t.Errorf("before %s\nafter %s", before.Body, after.Body)
	}
}

// Organizations of one site need no association of sites, and know at once
// whether both hold one.
func insideOneSite(t *testing.T, p *sitetest.Pair) {
	globex, labs := login(t, p, "east", "globex"), login(t, p, "east", "acme-labs")
	ofGlobex, globexBody := globex.data("globex")
	ofLabs, labsBody := labs.data("acme-labs")
	if ofGlobex.SiteID != p.Client.Site("east").ID || ofGlobex.OrgName != "globex" || !strings.Contains(ofGlobex.OrgKey, "BEGIN PUBLIC KEY") {
		t.Errorf("%s", globexBody)
	}
	path := func(org string) string { return orgPath(p.Client.Site("east").Org(org).ID) }
	globex.task(globex.do("POST", path("globex"), labsBody))
	wantStatus(t, globex.orgs("globex"), ofLabs.OrgID, "ASYMMETRIC")
	labs.task(labs.do("POST", path("acme-labs"), globexBody))
	wantStatus(t, globex.orgs("globex"), ofLabs.OrgID, "ACTIVE")
	wantStatus(t, labs.orgs("acme-labs"), ofGlobex.OrgID, "ACTIVE")
	labs.task(labs.do("POST", path("acme-labs"), globexBody))
	wantStatus(t, labs.orgs("acme-labs"), ofGlobex.OrgID, "ACTIVE")

	renamedInside(t, p, labs)

	globex.task(globex.do("DELETE", globex.orgs("globex")[0].Href, ""))
	wantStatus(t, labs.orgs("acme-labs"), ofGlobex.OrgID, "ASYMMETRIC")
	if got := globex.orgs("globex"); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	globex.task(globex.do("PUT", path("globex"), `<OrgAssociations>`+inner(labsBody)+`</OrgAssociations>`))
	wantStatus(t, labs.orgs("acme-labs"), ofGlobex.OrgID, "ACTIVE")
	globex.task(globex.do("PUT", path("globex"), `<OrgAssociations/>`))
	wantStatus(t, labs.orgs("acme-labs"), ofGlobex.OrgID, "ASYMMETRIC")

	provider := login(t, p, "east", sitetest.System)
	globex.task(globex.do("POST", path("globex"), labsBody))
	provider.do("POST", strings.TrimSuffix(path("globex"), "/associations")+"/action/disable", "").Want(t, http.StatusNoContent)
	provider.task(provider.do("DELETE", strings.TrimSuffix(path("globex"), "/associations"), ""))
	wantStatus(t, labs.orgs("acme-labs"), ofGlobex.OrgID, "ASYMMETRIC")
}

// renamedInside: what an organization of the site is called now is what those that
// are associated with it call it, at once and everywhere.
func renamedInside(t *testing.T, p *sitetest.Pair, labs person) {
	provider := login(t, p, "east", sitetest.System)
	id := p.Client.Site("east").Org("globex").ID
	named := func(name string) string {
		return labs.own("GET", "/explainRoute?authContext="+name, "").Want(t, http.StatusOK).String(t, "decision")
	}
	list := "/organizations/" + strings.TrimPrefix(p.Client.Site("east").Org("acme-labs").ID, "urn:vcloud:org:") + "/associations"
	for _, tt := range []struct{ is, was string }{{"initech", "globex"}, {"globex", "initech"}} {
		if got := named(tt.was); got != "local" {
			t.Errorf("%s leads to %q", tt.was, got)
		}
		p.Client.Do(t, "PUT", p.Client.Site("east").API+"/cloudapi/1.0.0/orgs/"+id, sitetest.Bearer(provider.token, "Content-Type", "application/json"),
			strings.NewReader(`{"name":"`+tt.is+`","displayName":"Globex","isEnabled":true}`)).Want(t, http.StatusOK)
		if got := labs.orgs("acme-labs"); !slices.ContainsFunc(got, func(m member) bool { return m.OrgID == id && m.OrgName == tt.is }) {
			t.Errorf("it is called %s, and listed as %+v", tt.is, got)
		}
		if page := labs.own("GET", list+"?filter=org.name=="+tt.is+"&sortDesc=org.name", "").Want(t, http.StatusOK).JSON(t); page["resultTotal"] != 1.0 {
			t.Errorf("by its name %s: %v", tt.is, page)
		}
		if now, before := named(tt.is), named(tt.was); now != "local" || before != "refuse" {
			t.Errorf("%s leads to %q, and %s to %q", tt.is, now, tt.was, before)
		}
	}
}

// What cannot be associated: an organization with itself, a tenant with the
// provider, with an organization of a site that is not associated, and with one of
// the same site that gave nothing away (R6).
func orgMistakes(t *testing.T, p *sitetest.Pair) {
	globex, labs := login(t, p, "east", "globex"), login(t, p, "east", "acme-labs")
	own, ownBody := globex.data("globex")
	other, otherBody := labs.data("acme-labs")
	path := orgPath(own.OrgID)
	const nowhere = "urn:vcloud:site:11111111-2222-4333-8444-555555555555"
	wrongKey := globex.do("POST", path, strings.Replace(anotherKey(t, otherBody), "acme-labs", "x", 1)).Want(t, http.StatusBadRequest)
	absent := globex.do("POST", path, strings.ReplaceAll(strings.Replace(otherBody, "acme-labs", "x", 1), other.OrgID, "urn:vcloud:org:"+nobody)).Want(t, http.StatusBadRequest)
	if masked(wrongKey.Body) != masked(absent.Body) {
		t.Errorf("who exists is told:\n%s\n%s", wrongKey.Body, absent.Body)
	}
	for name, tt := range map[string]struct {
		body   string
		status int
	}{
		"itself":                        {ownBody, http.StatusBadRequest},
		"the provider":                  {strings.ReplaceAll(otherBody, other.OrgID, "urn:vcloud:org:a93c9db9-7471-3192-8d09-a8f7eeda85f9"), http.StatusBadRequest},
		"a site that is not associated": {strings.ReplaceAll(otherBody, other.SiteID, nowhere), http.StatusConflict},
		"no key":                        {between(otherBody, "<OrgPublicKey>", "</OrgPublicKey>", ""), http.StatusBadRequest},
		"a site's data":                 {`<SiteAssociationMember/>`, http.StatusBadRequest},
	} {
		if a := globex.do("POST", path, tt.body); a.Status != tt.status {
			t.Errorf("%s: status %d\n%s", name, a.Status, a.Body)
		}
	}
	if got := globex.orgs("globex"); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	globex.do("POST", orgPath(other.OrgID), ownBody).Want(t, http.StatusForbidden)
	globex.do("GET", "/api/site/associations", "").Want(t, http.StatusForbidden)
}

// masked takes off what differs between any two answers.
func masked(body []byte) string {
	text := string(body)
	if i, j := strings.Index(text, "[ "), strings.Index(text, " ]"); i >= 0 && j > i {
		text = text[:i] + text[j:]
	}
	return text
}

// between replaces what stands between two marks.
func between(body, from, to, with string) string {
	i := strings.Index(body, from) + len(from)
	j := i + strings.Index(body[i:], to)
	return body[:i] + with + body[j:]
}

// inner takes a document's element without the declaration.
func inner(body string) string { return strings.TrimPrefix(body, xml.Header) }

// anotherKey puts a new key in the place of the one in a document.
func anotherKey(t *testing.T, body string) string {
	t.Helper()
	for _, name := range []string{"PublicKey", "OrgPublicKey"} {
		if from := "<" + name + ">"; strings.Contains(body, from) {
			return between(body, from, "</"+name+">", keyOf(t))
		}
	}
	t.Fatal(fmt.Errorf("there is no key in %s", body))
	return ""
}

// Who may see an association sees its fingerprint as the other side reads it out,
// and sets what is one's own to decide; whoever replaces a key starts anew.
func settings(t *testing.T, p *sitetest.Pair) {
	west, east := login(t, p, "west", "acme"), login(t, p, "east", "acme")
	ofEast, _ := east.data("acme")
	org := strings.TrimPrefix(p.Client.Site("west").Org("acme").ID, "urn:vcloud:org:")
	list := "/organizations/" + org + "/associations"
	page := west.own("GET", list+"?filter=org.name==acme;status==ACTIVE&sortAsc=site.name", "").Want(t, http.StatusOK).JSON(t)
	if page["resultTotal"] != 1.0 {
		t.Fatalf("%v", page)
	}
	shown := page["values"].([]any)[0].(map[string]any)
	read := east.own("GET", "/organizations/"+ofEast.OrgID+"/associationData", "").Want(t, http.StatusOK)
	if shown["fingerprint"] != read.String(t, "fingerprint") || len(shown["fingerprint"].(string)) != 79 || shown["mapUsers"] != false {
		t.Errorf("%v\n%s", shown, read.Body)
	}
	one := list + "/" + shown["locationId"].(string)
	for _, body := range []string{`{"mapUsers":true}`, `{"mapUsers":true,"direct":"x"}`, `{"mapUsers":true,"direct":true,"mapuser":true}`, `null`, ``} {
		west.own("PUT", one, body).Want(t, http.StatusBadRequest)
	}
	west.own("PUT", one, `{"mapUsers":true,"direct":true}`).Want(t, http.StatusOK)
	if got := west.own("GET", one, "").Want(t, http.StatusOK).JSON(t); got["mapUsers"] != true || got["direct"] != true || got["status"] != "ACTIVE" {
		t.Errorf("%v", got)
	}
	back := west.own("GET", one, "").Want(t, http.StatusOK)
	west.own("PUT", one, string(back.Body)).Want(t, http.StatusOK) // what is shown can be sent back
	west.own("PUT", one, `{"mapUsers":false,"direct":false}`).Want(t, http.StatusOK)
	west.own("POST", one+"/replaceKey", `{"publicKey":"x"}`).Want(t, http.StatusBadRequest)
	west.own("GET", "/organizations/"+org+"/associations/"+nobody, "").Want(t, http.StatusForbidden)
	west.own("GET", "/siteAssociations", "").Want(t, http.StatusForbidden)
	west.own("GET", "/orgAssociations", "").Want(t, http.StatusForbidden)

	provider := login(t, p, "west", sitetest.System)
	if all := provider.own("GET", "/orgAssociations?filter=localOrg.name==acme&sortDesc=org.name", "").Want(t, http.StatusOK).JSON(t); all["resultTotal"] != 2.0 {
		t.Errorf("%v", all)
	}
	site := "/siteAssociations/" + p.Client.Site("east").ID
	provider.own("PUT", site, `{"allowedNetworks":["127.0.0.1"]}`).Want(t, http.StatusBadRequest)
	provider.own("PUT", site, `{}`).Want(t, http.StatusBadRequest)
	set := provider.own("PUT", site, `{"allowedNetworks":["127.0.0.0/8","::1/128"]}`).Want(t, http.StatusOK)
	if got := set.JSON(t)["allowedNetworks"].([]any); len(got) != 2 {
		t.Errorf("%s", set.Body)
	}
	provider.own("PUT", site, string(set.Body)).Want(t, http.StatusOK)
	provider.own("PUT", site, `{"allowedNetworks":[]}`).Want(t, http.StatusOK)
	fingerprint := login(t, p, "east", sitetest.System).own("GET", "/site", "").Want(t, http.StatusOK).String(t, "fingerprint")
	if set.String(t, "fingerprint") != fingerprint {
		t.Errorf("the key is %s, and there %s", set.String(t, "fingerprint"), fingerprint)
	}
}

const nobody = "11111111-2222-4333-8444-555555555555"
