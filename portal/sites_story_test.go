package portal_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"causeway/federation/associations"
	"causeway/federation/links"
	"causeway/internal/browsertest"
	"causeway/internal/config"
	"causeway/internal/dev"
	"causeway/internal/sitetest"
)

// sitesWorld is two sites that look often at each other, with a tab of each
// provider.
type sitesWorld struct {
	*world
	t          testing.TB
	west, east place
}

// place is a portal of an organization at a site, in a tab.
type place struct {
	*browsertest.Tab
	site *dev.SiteFile
	url  string
	api  func(t testing.TB, method, path string) sitetest.Answer
}

func bare(urn string) string { return urn[strings.LastIndexByte(urn, ':')+1:] }

func (w *world) place(t testing.TB, site, org string) place {
	t.Helper()
	f := w.File.Site(site)
	p := portalOf{f.API + "/provider", f.Admin}
	if org != sitetest.System {
		p = portalOf{f.API + "/tenant/" + org, f.Org(org).Admin}
	}
	token := w.Client.Login(t, site, org)
	return place{p.enter(t, browsertest.Look{}), f, p.URL, func(t testing.TB, method, path string) sitetest.Answer {
		t.Helper()
		return w.Client.Do(t, method, f.API+path, sitetest.Bearer(token, "Accept", "application/*+xml;version=37.0"), nil)
	}}
}

// shows waits until the page says words in what a selector finds, without being
// asked for again.
func (p place) shows(t testing.TB, selector, words string) {
	t.Helper()
	if strings.Contains(p.Text("body"), "Log in") {
		t.Fatalf("nobody is logged in: %s", p.Text("body"))
	}
	expression := fmt.Sprintf(`new Promise((done) => {
		const end = Date.now() + 25000
		const look = () => {
			const text = document.querySelector(%[1]q)?.textContent ?? ""
			if (text.includes(%[2]q)) done("")
			else if (Date.now() > end) done("not there: " + text)
			else setTimeout(look, 50)
		}
		look()
	})`, selector, words)
	var missing string
	if p.Eval(expression, &missing); missing != "" {
		t.Fatalf("%s: %q is %s", p.URL(), words, missing)
	}
}

// download fetches a file as the link on the page does.
func (p place) download(t testing.TB, path string) string {
	t.Helper()
	var got struct{ Disposition, Type, Text string }
	p.Eval(fmt.Sprintf(`fetch(%q).then(async r => ({disposition: r.headers.get("content-disposition"), type: r.headers.get("content-type"), text: await r.text()}))`, p.url+path), &got)
	if !strings.HasPrefix(got.Disposition, "attachment; filename=") || !strings.HasPrefix(got.Type, "application/xml") {
		t.Errorf("%s is sent as %s, %s", path, got.Type, got.Disposition)
	}
	return got.Text
}

// upload chooses a file that says text.
func (p place) upload(text string) {
	body, _ := json.Marshal(text)
	p.Eval(fmt.Sprintf(`(() => {
		const files = new DataTransfer()
		files.items.add(new File([%s], "data.xml", {type: "text/xml"}))
		document.querySelector("input[type=file]").files = files.files
	})()`, body), nil)
}

// TestSites drives the pages about other sites, on one pair: what comes later ends
// more.
func TestSites_VCD40_R6(t *testing.T) {
	w := start(t, sitetest.Adjust(func(c *config.Config) { c.Federation.Heartbeat = 300 * time.Millisecond }))
	s := &sitesWorld{w, t, w.place(t, "west", sitetest.System), w.place(t, "east", sitetest.System)}
	for _, tt := range []struct {
		name string
		run  func(*testing.T, *sitesWorld)
	}{
		{"the map and its table", theMap}, {"a route is explained", explained}, {"tampered data is refused", tampered},
		{"who may do what", whoMay}, {"networks, name and keys", smallThings}, {"organizations", organizations},
		{"associated anew by both portals", anew}, {"the other side is gone", gone},
	} {
		if !t.Run(tt.name, func(t *testing.T) { tt.run(t, s) }) {
			t.FailNow()
		}
	}
}

func theMap(t *testing.T, w *sitesWorld) {
	p := w.west
	p.Go(p.url)
	p.Follow("Sites")
	p.shows(t, "#sites-live table", "Active")
	p.shows(t, "#sites-live svg.map", "east")
	p.shows(t, "#sites-live svg.map", " ms") // once it was measured
	for _, words := range []string{"west", "this site", "Active"} {
		p.shows(t, "#sites-live svg.map", words)
	}
	row := p.Text("#sites-live tbody tr")
	for _, words := range []string{"east", "Active", "ms", "in step with ours"} {
		if !strings.Contains(row, words) {
			t.Errorf("the table does not say %q: %s", words, row)
		}
	}
	self := p.api(t, "GET", "/cloudapi/causeway/1.0.0/site")
	if got, want := p.Text("#own-fingerprint"), self.String(t, "fingerprint"); got != want || len(got) != 79 {
		t.Errorf("the fingerprint of this site is %q and not %q", got, want)
	}
	p.Follow("east")
	p.Sees("Last contact", "As the other side sees it", "2 associations of organizations", "acme with acme")
	w.east.Go(w.east.url + "/multisite/sites")
	if got, want := p.Text("#site-fingerprint"), w.east.Text("#own-fingerprint"); got != want {
		t.Errorf("west says that east's fingerprint is %q, and east %q", got, want)
	}
}

func explained(t *testing.T, w *sitesWorld) {
	acme := w.place(t, "west", "acme")
	for _, tt := range []struct {
		auth, tenant string
		want         []string
	}{
		{"", "", []string{"Fulfilled here, in acme at west", "row 1 "}},
		{"globex", "", []string{"Refused", "row 8 ", "403", "ACCESS_TO_RESOURCE_IS_FORBIDDEN"}},
		{bare(w.File.Site("east").Org("acme").ID) + "@" + bare(w.File.Site("east").ID), "", []string{"Sent on to acme at east", "row 3 ", "Active"}},
		{"<b>\x7f", "", []string{"Refused", "row malformed ", "400"}},
	} {
		acme.Go(acme.url + "/multisite/explain?auth=" + url.QueryEscape(tt.auth) + "&tenant=" + tt.tenant)
		acme.Sees(tt.want...)
	}
	acme.Go(acme.url + "/multisite/explain")
	acme.SeesNot("Organization of the session")
	acme.Fill("Value of X-VMWARE-VCLOUD-AUTH-CONTEXT", "acme")
	acme.Press("Explain")
	acme.Sees("Fulfilled here, in acme at west", "row 5 ")

	p := w.west
	p.Go(p.url + "/multisite/explain")
	p.Fill("Organization of the session", "acme")
	p.Press("Explain")
	p.Sees("Sessions of\nacme", "Fulfilled here, in acme at west")
	p.Fill("Organization of the session", "nobody")
	p.Press("Explain")
	if p.Status() < 400 || p.Value("Organization of the session") != "nobody" {
		t.Errorf("%d for an organization that is not there", p.Status())
	}
}

// another is a document whose key is another one.
func another(t *testing.T, document, element string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pem, err := links.EncodePublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(document, "<"+element+">")
	_, after, found := strings.Cut(rest, "</"+element+">")
	if !found {
		t.Fatalf("there is no %s in %s", element, document)
	}
	return before + "<" + element + ">" + pem + "</" + element + ">" + after
}

// shown is what the page makes of a document that came as text, and as a file.
func (p place) brings(path, text string, file bool) {
	p.Go(p.url + path)
	if file {
		p.upload(text)
	} else {
		p.Fill("Or paste what is in it", text)
	}
	p.Press("Look at it")
}

func tampered(t *testing.T, w *sitesWorld) {
	const list = "/api/site/associations"
	before := w.west.api(t, "GET", list).Body
	data := string(w.east.api(t, "GET", list+"/localAssociationData").Want(t, http.StatusOK).Body)
	for name, tt := range map[string]struct {
		text, says string
		status     int
	}{
		"another key":     {another(t, data, "PublicKey"), "holds another key", http.StatusConflict},
		"cut":             {data[:len(data)/2], "", http.StatusBadRequest},
		"no document":     {"hello <script>alert(1)</script>", "", http.StatusBadRequest},
		"an organization": {`<OrgAssociationMember xmlns="http://www.vmware.com/vcloud/v1.5"/>`, "SiteAssociationMember", http.StatusBadRequest},
		"itself":          {string(w.west.api(t, "GET", list+"/localAssociationData").Body), "itself", http.StatusBadRequest},
		"nothing":         {"", "Choose a file", http.StatusBadRequest},
	} {
		for _, file := range []bool{false, true} {
			w.west.brings("/multisite/associate", tt.text, file)
			fault := ""
			if w.west.Status() == tt.status {
				fault = w.west.Text(".fault")
			}
			if w.west.Status() != tt.status || !strings.Contains(fault, tt.says) {
				t.Errorf("%s (file %v): %d, %s", name, file, w.west.Status(), fault)
			}
			if kept := w.west.Value("Or paste what is in it"); kept != strings.TrimSpace(tt.text) {
				t.Errorf("%s: what was brought is lost: %q", name, kept)
			}
		}
	}
	w.west.Expect("answers 400") // of a script that leaves the box unticked
	var status int
	body, _ := json.Marshal(data)
	w.west.Eval(fmt.Sprintf(`fetch(%q, {method: "POST", body: new URLSearchParams({document: %s})}).then(r => r.status)`, w.west.url+"/multisite/associate/confirm", body), &status)
	if status != http.StatusBadRequest {
		t.Errorf("a document whose key nobody compared is answered with %d", status)
	}
	if after := w.west.api(t, "GET", list).Body; string(after) != string(before) {
		t.Errorf("before %s\nafter %s", before, after)
	}
}

// whoMay looks at the pages as people who may do less (R6).
func whoMay(t *testing.T, w *sitesWorld) {
	acme := w.place(t, "west", "acme")
	acme.Expect("answers 404")
	acme.Expect("answers 403")
	for path, want := range map[string]int{
		"/multisite/sites": 404, "/multisite/keys": 404, "/multisite/associate": 404, "/multisite/organizations": 200, "/multisite/explain": 200,
		"/multisite/organizations/" + bare(w.File.Site("east").Org("globex").ID) + "@" + bare(w.File.Site("east").ID): 403,
	} {
		var status int
		if acme.Eval(fmt.Sprintf(`fetch(%q).then(r => r.status)`, acme.url+path), &status); status != want {
			t.Errorf("a tenant's administrator gets %d for %s", status, path)
		}
	}
	acme.Go(w.File.Site("west").API + "/provider/multisite/sites")
	if acme.Status() != http.StatusForbidden {
		t.Errorf("a tenant's administrator gets %d in the provider's portal", acme.Status())
	}
}

func smallThings(t *testing.T, w *sitesWorld) {
	p := w.west
	p.Go(p.url + "/multisite/sites/" + bare(w.File.Site("east").ID))
	p.Follow("Change")
	p.Fill("Allowed networks", "127.0.0.0/8\n127.0.0.1/8")
	p.Press("Save")
	if p.Status() != http.StatusBadRequest || !strings.Contains(p.Value("Allowed networks"), "127.0.0.1/8") {
		t.Errorf("networks that are none: %d, %q", p.Status(), p.Value("Allowed networks"))
	}
	p.Fill("Allowed networks", "127.0.0.0/8\n::1/128")
	p.Press("Save")
	p.Sees("The networks are saved.", "127.0.0.0/8", "::1/128", "association changed", "Allowed networks")

	p.Go(p.url + "/multisite/sites")
	p.Follow("Rename this site")
	p.Fill("Name", "West <1>")
	p.Press("Rename")
	p.Sees("The site has its new name.", "West <1>")
	p.Follow("Rename this site")
	p.Fill("Name", "west")
	p.Press("Rename")

	p.Go(p.url + "/multisite/keys")
	first := p.Text("tbody tr th")
	p.Sees("In use")
	p.Follow("Publish a successor")
	p.Sees("no request fails")
	p.Press("Publish a successor")
	p.Sees("The successor is published", "Announced", "In use", "A successor is announced")
	keys := p.api(t, "GET", "/cloudapi/causeway/1.0.0/siteKeys").Want(t, http.StatusOK).JSON(t)["values"].([]any)
	if len(keys) != 2 || associations.Grouped(keys[1].(map[string]any)["fingerprint"].(string)) != first {
		t.Errorf("the page says %s, the API %v", first, keys)
	}
	next := p.Text("tbody tr th")
	p.Go(p.url + "/multisite/keys/" + strings.ReplaceAll(next, " ", "") + "/retire")
	p.Press("Retire the key")
	p.Sees("The key is retired.", "Its private part is erased")
	p.Go(p.url + "/multisite/keys/0123/retire")
	if p.Status() != http.StatusForbidden {
		t.Errorf("%d for a key that is not there", p.Status())
	}
}

// associates takes in what the other side downloads, and says what was compared.
func associates(t *testing.T, at, other place, path string, file bool) {
	t.Helper()
	data := other.download(t, path+"/data")
	from := map[string]string{"/multisite/site": "/multisite/sites"}[path]
	if from == "" {
		from = path
	}
	other.Go(other.url + from)
	theirs := other.Text("#own-fingerprint")
	to := strings.TrimSuffix(path, "/site") + "/associate"
	at.brings(to, data, file)
	at.Sees("Nobody is trusted yet.")
	if got := at.Text("#theirs-fingerprint"); got != theirs {
		t.Errorf("%s reviews the fingerprint %q, where the other side reads out %q", at.url, got, theirs)
	}
	at.Tick("I have compared the fingerprint")
	var button string
	at.Eval(`document.querySelector("main form button.main").textContent`, &button)
	at.Press(button)
	at.Sees("The association is held here.")
}

func organizations(t *testing.T, w *sitesWorld) {
	west, east := w.place(t, "west", "acme"), w.place(t, "east", "acme")
	const path = "/multisite/organizations"
	ids := [2]string{bare(w.File.Site("west").Org("acme").ID), bare(w.File.Site("east").Org("acme").ID)}
	if got, want := west.download(t, path+"/data"), west.api(t, "GET", "/api/admin/org/"+ids[0]+"/associations/localAssociationData").Body; got != string(want) {
		t.Errorf("the portal hands out\n%s\nand the API\n%s", got, want)
	}
	held := west.api(t, "GET", "/api/admin/org/"+ids[0]+"/associations").Body
	data := string(east.api(t, "GET", "/api/admin/org/"+ids[1]+"/associations/localAssociationData").Body)
	west.brings(path+"/associate", another(t, data, "OrgPublicKey"), false)
	if west.Status() != http.StatusConflict || string(west.api(t, "GET", "/api/admin/org/"+ids[0]+"/associations").Body) != string(held) {
		t.Errorf("a document with another key: %d", west.Status())
	}

	settings(t, west)
	replaced(t, west, data)

	east.Go(east.url + path)
	east.shows(t, "#orgs-live", "Active")
	west.Go(west.url + path)
	west.Follow("acme")
	west.Follow("Remove")
	west.Sees("Nobody of acme acts in acme any more", "Tokens of acme are refused", "What stays")
	west.Press("Remove the association")
	west.Sees("The association was removed.")
	east.shows(t, "#orgs-live", "One-sided")
	east.Follow("acme")
	east.Follow("Remove")
	east.Press("Remove the association")

	associates(t, east, west, path, true)
	east.shows(t, "#org-live", "What has to happen at acme now")
	associates(t, west, east, path, false)
	for _, at := range []place{west, east} {
		at.Go(at.url + path)
		at.Follow("acme")
		at.shows(t, "#org-live", "Active")
		at.shows(t, "#org-live", "Sent on to acme")
	}
	west.Sees("associated", "became Active")

	inside(t, w)
}

func settings(t *testing.T, west place) {
	west.Go(west.url + "/multisite/organizations")
	west.Follow("acme")
	west.Follow("Edit the settings")
	west.Tick("Tokens accepted directly")
	west.Press("Save")
	west.Sees("The settings are saved.")
	held := west.api(t, "GET", "/cloudapi/causeway/1.0.0/organizations/"+west.site.Org("acme").ID+"/associations").Want(t, http.StatusOK)
	if first := held.JSON(t)["values"].([]any)[0].(map[string]any); first["direct"] != true {
		t.Errorf("it is not saved: %v", first)
	}
}

// replaced puts another key in the place of the one that is trusted, and back.
func replaced(t *testing.T, west place, data string) {
	west.Go(west.url + "/multisite/organizations")
	west.Follow("acme")
	before, page := west.Text("#org-fingerprint"), west.URL()
	for _, text := range []string{another(t, data, "OrgPublicKey"), data} {
		west.Go(page + "/key")
		west.upload(text)
		west.Press("Look at it")
		var doc struct{ OrgPublicKey string }
		if err := xml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		want := associations.Fingerprint(doc.OrgPublicKey)
		if got := west.Text("#theirs-fingerprint"); got != want {
			t.Errorf("the new fingerprint is %q, want %q", got, want)
		}
		west.Tick("I have compared the fingerprint")
		west.Press("Trust the new key")
		west.Sees("The new key is trusted.")
		if got := west.Text("#org-fingerprint"); got != want {
			t.Errorf("the fingerprint is %q now, want %q", got, want)
		}
	}
	if west.Text("#org-fingerprint") != before {
		t.Error("the key is not what it was")
	}
	west.Go(page + "/key")
	west.upload(strings.ReplaceAll(data, "<OrgName>", "<OrgName>x"))
	west.Press("Look at it")
	west.Sees("This is the key that is trusted already.")
}

// inside associates two organizations of one site, the provider in the place of one.
func inside(t *testing.T, w *sitesWorld) {
	const path = "/multisite/organizations"
	globex := w.place(t, "east", "globex")
	labs := w.east
	labs.url = w.File.Site("east").API + "/tenant/acme-labs"
	associates(t, globex, labs, path, false)
	globex.shows(t, "#org-live", "The other organization does not hold the association yet.")
	associates(t, labs, globex, path, true)
	labs.Sees("Active", "(this site)", "Fulfilled here, in globex at east")
	globex.shows(t, "#orgs-live", "Active")
	w.east.Go(w.east.url + path + "?q=labs")
	w.east.Sees("Associations of all organizations", "acme-labs", "globex")
}

func anew(t *testing.T, w *sitesWorld) {
	west, east := w.west, w.east
	const list = "/multisite/sites"
	if got, want := west.download(t, "/multisite/site/data"), west.api(t, "GET", "/api/site/associations/localAssociationData").Body; got != string(want) {
		t.Errorf("the portal hands out\n%s\nand the API\n%s", got, want)
	}
	east.Go(east.url + list)
	east.shows(t, "#sites-live", "Active")
	west.Go(west.url + list)
	west.Follow("east")
	west.Follow("Remove")
	west.Sees("2 associations of organizations", "acme with acme", "acme with acme-labs", "What stays")
	west.Tick("Also end the 2 associations")
	west.Press("Remove all of it")
	west.Sees("The association was removed.", "associated with no other yet")
	east.shows(t, "#sites-live", "One-sided")
	east.Follow("west")
	east.Follow("Remove")
	east.Tick("Also end the 2 associations")
	east.Press("Remove all of it")

	associates(t, east, west, "/multisite/site", true)
	east.Sees("What has to happen at west now", "read them this one")
	associates(t, west, east, "/multisite/site", false)
	east.shows(t, "#sites-live", "Active") // which waited on that page
	west.shows(t, "#site-live", "Active")
	west.Go(west.url + list)
	west.shows(t, "#sites-live svg.map", "Active")
}

func gone(t *testing.T, w *sitesWorld) {
	w.west.Go(w.west.url + "/multisite/sites")
	w.west.shows(t, "#sites-live", "Active")
	w.east.Go(w.west.url) // its page would ask a site that is gone
	if err := w.StopSite(t.Context(), "east"); err != nil {
		t.Fatal(err)
	}
	w.west.shows(t, "#sites-live svg.map", "Unreachable")
	w.west.shows(t, "#sites-live tbody", "Unreachable")
	var why string
	w.west.Eval(`document.querySelector("#sites-live tbody td").innerText`, &why)
	if lines := strings.Split(why, "\n"); len(lines) < 2 || lines[1] == "" {
		t.Errorf("the table does not say why: %q", why)
	}
	w.west.Follow("east")
	w.west.Sees("Unreachable", "peer listener", "became Unreachable, after Active")
}
