package monitoring_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"causeway/internal/browsertest"
	"causeway/internal/config"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

const requestID = "X-VMWARE-VCLOUD-REQUEST-ID"

// TestMonitoring_R7 finds in the pages what the API did, and nothing of others.
func TestMonitoring_R7(t *testing.T) {
	w := worldOf(sitetest.Start(t, storetest.SQLite))
	admin, labs := w.Client.Login(t, "east", "acme"), w.Client.Login(t, "east", "acme-labs")
	acme, other, provider := w.Acme.enter(t, browsertest.Look{}), w.Labs.enter(t, browsertest.Look{}), w.Provider.enter(t, browsertest.Look{Width: 360, Height: 800})

	provider.Go(w.Provider.URL + "/monitor/numbers")
	provider.Sees("Requests", "Time to the answer", "Crossings")
	if n := most(provider, "requests", 3); n != 0 {
		t.Errorf("%v refused a second, before anything was", n)
	}

	refused := w.Client.Get(t, "east", "/cloudapi/1.0.0/rightsBundles", sitetest.Bearer(admin)).Want(t, http.StatusForbidden).Header.Get(requestID)
	role := w.Client.Post(t, "east", "/cloudapi/1.0.0/roles", sitetest.Bearer(admin), map[string]any{"name": `<i>Night</i> "watch"`, "description": ""}).
		Want(t, http.StatusCreated)
	made := role.Header.Get(requestID)
	w.Client.Post(t, "east", "/cloudapi/1.0.0/roles", sitetest.Bearer(labs), map[string]any{"name": "Labs' own", "description": ""}).Want(t, http.StatusCreated)

	t.Run("the numbers rise", func(t *testing.T) {
		provider.Go(w.Provider.URL + "/monitor/numbers")
		if n := most(provider, "requests", 3); n <= 0 {
			t.Errorf("%v refused a second", n)
		}
		if text := provider.Text("#refusals .lines, [aria-labelledby=refusals-title] .lines"); !strings.Contains(text, "A right was missing") {
			t.Errorf("refusals: %s", text)
		}
		acme.Go(w.Acme.URL + "/monitor/numbers")
		acme.SeesNot("Crossings")
		if n := most(acme, "ownrefusals", 1); n != 1 {
			t.Errorf("%v refusals of the own organization in an hour", n)
		}
	})
	t.Run("a refusal is found and explained", func(t *testing.T) {
		acme.Go(w.Acme.URL + "/monitor/audit/refusals")
		acme.Sees("A right was missing", "acme-admin", "GET /cloudapi/1.0.0/rightsBundles")
		acme.Follow("Why? " + strings.SplitAfter(refused, "-")[0][:8] + "…")
		acme.Sees("It was refused with 403 (forbidden)", "only the provider's people")
		acme.Go(w.Acme.URL + "/monitor/explain")
		acme.Fill("Request ID", "[ "+refused+" ]")
		acme.Press("Explain")
		acme.Sees("Rights Bundle: View")
		provider.Go(w.Provider.URL + "/monitor/explain?id=" + refused)
		provider.Sees(`the user "acme-admin" of acme`, "GET /cloudapi/1.0.0/rightsBundles")
		acme.Go(w.Acme.URL + "/monitor/explain?id=" + url.QueryEscape("a b"))
		if acme.Sees("This is no request ID"); acme.Status() != http.StatusBadRequest {
			t.Errorf("status %d", acme.Status())
		}
	})
	t.Run("a change is found by its request", func(t *testing.T) {
		acme.Go(w.Acme.URL + "/monitor/audit?request=" + made)
		acme.Sees("acme-admin created the role", `<i>Night</i> "watch"`)
		if n := rows(acme); n != 1 {
			t.Errorf("%d rows of one request", n)
		}
		acme.Go(w.Acme.URL + "/monitor/audit/entry/" + entry(acme))
		acme.Sees("Where it has taken effect", "In effect everywhere at this site", made)
		acme.Follow(`<i>Night</i> "watch"`)
		if !strings.HasPrefix(acme.Text("h1"), `<i>Night</i> "watch"`) {
			t.Errorf("the subject's page is %s %q", acme.URL(), acme.Text("h1"))
		}
		acme.Go(w.Acme.URL + "/monitor/explain?id=" + made)
		acme.Sees("It was not refused", "created the role")
		for query, want := range map[string]int{
			"?action=role.created&actor=ACME-ADMIN": 1, "?subject=night": 1, "?action=role.deleted": 0,
			"?from=2001-01-01&until=2001-01-02": 0, "?subject=night&from=2001-01-01T00:00": 1,
		} {
			if acme.Go(w.Acme.URL + "/monitor/audit" + query); rows(acme) != want {
				t.Errorf("%s finds %d rows, want %d", query, rows(acme), want)
			}
		}
		acme.Go(w.Acme.URL + "/monitor/audit?from=yesterday")
		acme.Sees(`"yesterday" is no time`)
		provider.Go(w.Provider.URL + "/monitor/audit?subject=Labs%27&org=acme-labs")
		if provider.Sees("Labs' own"); rows(provider) != 1 || provider.Overflows() {
			t.Errorf("%d rows of an organization, overflows %v", rows(provider), provider.Overflows())
		}
		provider.Go(w.Provider.URL + "/monitor/audit?org=nowhere")
		provider.Sees(`There is no organization named "nowhere"`)
	})
	t.Run("what changed is told in words", func(t *testing.T) {
		changed := w.Client.Put(t, "east", "/cloudapi/1.0.0/roles/"+role.String(t, "id"), sitetest.Bearer(admin), map[string]any{"name": "Night watch", "description": "<b>"}).
			Want(t, http.StatusOK).Header.Get(requestID)
		acme.Go(w.Acme.URL + "/monitor/audit?request=" + changed)
		acme.Click("td details summary, th details summary")
		acme.Sees("Name\n<i>Night</i> \"watch\" Night watch", "Description\nnothing <b>")
		acme.Go(w.Acme.URL + "/monitor/audit/entry/" + entry(acme))
		acme.Sees("Description", "nothing <b>")
		acme.SeesNot("description.new", "name.old")
	})
	t.Run("the export is what the API shows", func(t *testing.T) {
		got, want := export(t, acme, w.Acme.URL+"/monitor/audit/export"), values(t, w, admin, "/cloudapi/causeway/1.0.0/auditTrail?pageSize=1000")
		if len(want) == 0 || !reflect.DeepEqual(got[:len(got)-1], want) || !strings.Contains(fmt.Sprint(got[len(got)-1]), "complete:true") {
			t.Errorf("the export has %d rows, the API %d:\n%v\n%v", len(got)-1, len(want), got, want)
		}
		if got, want := export(t, acme, w.Acme.URL+"/monitor/audit/refusals/export"), values(t, w, admin, "/cloudapi/causeway/1.0.0/refusals?pageSize=128"); len(want) == 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("the export is\n%v\nthe API says\n%v", got, want)
		}
		if got := export(t, acme, w.Acme.URL+"/monitor/audit/export?request="+made); len(got) != 2 { // with the end
			t.Errorf("%d lines of one request", len(got))
		}
	})
	t.Run("another tenant sees nothing of it", func(t *testing.T) {
		for _, id := range []string{refused, made} {
			other.Go(w.Labs.URL + "/monitor/explain?id=" + id)
			var text string
			other.Eval(`document.body.innerText`, &text)
			if !strings.Contains(text, "Nothing is known of a refusal of this request") || strings.Contains(text, "rightsBundles") || strings.Contains(text, "Night") || strings.Contains(text, "acme-admin") {
				t.Errorf("request %s is explained: %s", id, text)
			}
			for _, page := range []string{"/monitor/audit?request=", "/monitor/audit/refusals?request=", "/monitor/audit?org=acme&request="} {
				if other.Go(w.Labs.URL + page + id); rows(other) != 0 {
					t.Errorf("%s%s shows %s", page, id, other.Text("main"))
				}
			}
		}
		acme.Go(w.Acme.URL + "/monitor/audit?request=" + made)
		for path, want := range map[string]int{"/monitor/audit/entry/" + entry(acme): http.StatusForbidden} {
			if other.Go(w.Labs.URL + path); other.Status() != want {
				t.Errorf("%s answers %d", path, other.Status())
			}
		}
	})
	w.Client.Get(t, "east", "/tenant/acme-labs/monitor/audit/verify", nil).Want(t, http.StatusNotFound) // the provider's alone
	t.Run("and nothing of its exports", func(t *testing.T) {
		for _, path := range []string{"/monitor/audit/export", "/monitor/audit/refusals/export", "/monitor/audit/export?org=acme"} {
			text := fetch(t, other, w.Labs.URL+path)
			if strings.Contains(text, "Night") || strings.Contains(text, "acme-admin") || strings.Contains(text, "rightsBundles") {
				t.Errorf("%s tells %s", path, text)
			}
		}
		if text := fetch(t, other, w.Labs.URL+"/monitor/audit/export"); !strings.Contains(text, "Labs' own") {
			t.Errorf("the own changes are not exported: %s", text)
		}
	})
}

// TestVerify_R7 proves the trail in a browser, and finds where it was changed.
func TestVerify_R7(t *testing.T) {
	databases := map[string]string{}
	sitetest.Each(t, func(t *testing.T, p *sitetest.Pair) {
		w := worldOf(p)
		tab := w.Provider.enter(t, browsertest.Look{})
		tab.Go(w.Provider.URL + "/monitor/audit/verify")
		tab.Fill("Head that you noted before", "yesterday")
		tab.Press("Begin the proof")
		tab.Sees("A head is a number")
		prove(t, tab, w)
		tab.Sees("Intact", "The audit trail is as it was written.")
		head := tab.Text("#head")

		db := open(t, databases[p.File.Site("east").API])
		for _, statement := range append(unlock(db), `UPDATE journal SET entry = REPLACE(entry, 'user.created', 'user.deleted') WHERE seq = (SELECT min(seq) FROM journal WHERE action = 'user.created')`) {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		var seq string
		if err := db.QueryRowContext(t.Context(), `SELECT min(seq) FROM journal WHERE action = 'user.created'`).Scan(&seq); err != nil {
			t.Fatal(err)
		}
		prove(t, tab, w)
		tab.Sees("Not as it was written", "row "+seq+" of the journal was changed", "Entry "+seq)
		if tab.Text("#head") != head {
			t.Errorf("the head was %s and is %s", head, tab.Text("#head"))
		}
	}, sitetest.Adjust(func(c *config.Config) { databases[c.Public.URL] = c.Database.URL.Reveal() }))
}

// prove begins a proof and waits until the page tells its result by itself.
func prove(t *testing.T, tab *browsertest.Tab, w *world) {
	t.Helper()
	tab.Go(w.Provider.URL + "/monitor/audit/verify")
	tab.Press("Begin the proof")
	tab.Eval(`new Promise((done) => { const look = () => document.querySelector('#head') ? done(true) : requestAnimationFrame(look); look(); })`, new(bool))
}

func open(t *testing.T, url string) *sql.DB {
	t.Helper()
	driver, source := "pgx", url
	if path, ok := strings.CutPrefix(url, "sqlite://"); ok {
		driver, source = "sqlite", path
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// unlock takes the triggers away by which the database keeps its past.
func unlock(db *sql.DB) []string {
	if strings.Contains(reflect.TypeOf(db.Driver()).String(), "sqlite") {
		return []string{"DROP TRIGGER journal_no_update"}
	}
	return []string{"DROP TRIGGER journal_append_only ON journal"}
}

// most is the greatest number in a column of a plot's table.
func most(tab *browsertest.Tab, plot string, column int) (n float64) {
	q, _ := json.Marshal("#" + plot + "-table tbody tr td:nth-of-type(" + string(rune('0'+column)) + ")")
	tab.Eval(`Math.max(0, ...[...document.querySelectorAll(`+string(q)+`)].map((d) => parseFloat(d.textContent) || 0))`, &n)
	return n
}

// entry is the number of the first row of the audit trail.
func entry(tab *browsertest.Tab) (seq string) {
	tab.Eval(`document.querySelector('tbody td a').getAttribute('href').split('/').pop()`, &seq)
	return seq
}

func rows(tab *browsertest.Tab) (n int) {
	tab.Eval(`document.querySelectorAll('tbody tr').length`, &n)
	return n
}

// fetch reads a file as the tab's person.
func fetch(t *testing.T, tab *browsertest.Tab, address string) (text string) {
	t.Helper()
	var kind string
	tab.Eval(`fetch(`+quoted(address)+`).then((r) => r.headers.get('Content-Disposition'))`, &kind)
	if !strings.HasPrefix(kind, "attachment; filename=") {
		t.Errorf("%s is sent as %q", address, kind)
	}
	tab.Eval(`fetch(`+quoted(address)+`).then((r) => r.text())`, &text)
	return text
}

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func export(t *testing.T, tab *browsertest.Tab, address string) (list []any) {
	t.Helper()
	for line := range strings.Lines(fetch(t, tab, address)) {
		var one any
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		list = append(list, one)
	}
	return list
}

func values(t *testing.T, w *world, token, path string) []any {
	t.Helper()
	list, _ := w.Client.Get(t, "east", path, sitetest.Bearer(token)).Want(t, http.StatusOK).JSON(t)["values"].([]any)
	return list
}
