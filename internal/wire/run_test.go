package wire

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"causeway/internal/sitetest"
)

// TestScripts runs every script in process, on each database, and those that are
// marked through a peer too.
func TestScripts(t *testing.T) {
	scripts := readScripts(t)
	t.Run("asked directly", func(t *testing.T) {
		sitetest.Each(t, func(t *testing.T, p *sitetest.Pair) {
			newWorld(t, p.Client, p.File).run(t, scripts, direct)
		})
	})
	t.Run("VCD-37 through a peer", func(t *testing.T) {
		sitetest.Each(t, func(t *testing.T, p *sitetest.Pair) {
			mapPeople(t, p.Site("east").DB(), p.File)
			newWorld(t, p.Client, p.File).run(t, scripts, throughPeer)
		})
	})
}

type mode int

const (
	direct mode = iota
	throughPeer
)

func (w *world) run(t *testing.T, scripts []script, m mode) {
	for _, s := range scripts {
		if m == throughPeer && !s.peer {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			captured := variables{}
			for _, st := range s.steps {
				ok := t.Run(st.title, func(t *testing.T) {
					if err := w.step(t, st, m, captured); err != nil {
						t.Fatalf("testdata/%s.txt:%d: %v", s.name, st.line, err)
					}
				})
				if !ok {
					t.FailNow() // what follows builds on it
				}
			}
		})
	}
}

// step makes one exchange, and one more where the same question can be asked
// twice and must be answered alike.
func (w *world) step(t *testing.T, st step, m mode, captured variables) error {
	t.Helper()
	crosses := m == throughPeer && st.mentions("$admin", "$bot")
	if !crosses {
		answer, err := w.ask(t, st, "east", captured)
		if err != nil {
			return err
		}
		return w.check(st, answer, w.with("east", captured), captured)
	}
	answer, err := w.ask(t, st, "west", captured)
	if err != nil {
		return err
	}
	if st.status < 400 && answer.Header.Get("X-Causeway-Peer-Request-Id") == "" {
		return fmt.Errorf("no peer answered: %v", answer.Header)
	}
	if err := w.stays(answer.Header); err != nil {
		return err
	}
	st.wantHeader = slices.DeleteFunc(slices.Clone(st.wantHeader), func(f field) bool { return f.name == "Link" })
	before := maps.Clone(captured)
	if err := w.check(st, answer, w.with("west", captured), captured); err != nil {
		return err
	}
	if st.method != http.MethodGet && st.status < 400 {
		return nil // done is done
	}
	again, err := w.ask(t, st, "east", before)
	if err != nil {
		return err
	}
	return same(again, answer)
}

// stays reports what would lead a client with its credentials to another host. A
// Location leads to the same place through west, and is read here as what it stands
// for; links to other pages stay behind.
func (w *world) stays(h http.Header) error {
	if got := h.Values("Link"); len(got) > 0 {
		return fmt.Errorf("the header Link leads a client of west to %q", got)
	}
	location := h.Get("Location")
	if location == "" {
		return nil
	}
	rest, ok := strings.CutPrefix(location, w.client.Site("west").API)
	if !ok {
		return fmt.Errorf("the header Location leads a client of west to %q", location)
	}
	h.Set("Location", w.client.Site("east").API+rest)
	return nil
}

func (st step) mentions(words ...string) bool {
	return slices.ContainsFunc(st.header, func(f field) bool {
		return slices.ContainsFunc(words, func(word string) bool { return strings.HasSuffix(f.value, word) })
	})
}

var encoded = regexp.MustCompile(`base64\(([^)]*)\)`)

// ask sends a step's request to a site. West is asked for what east's
// organization has to answer.
func (w *world) ask(t *testing.T, st step, site string, captured variables) (sitetest.Answer, error) {
	t.Helper()
	vars := w.with(site, captured)
	path, err := vars.expand(st.path)
	if err != nil {
		return sitetest.Answer{}, err
	}
	body, err := vars.expand(st.body)
	if err != nil {
		return sitetest.Answer{}, err
	}
	header := http.Header{}
	for _, f := range st.header {
		value, err := vars.expand(f.value)
		if err != nil {
			return sitetest.Answer{}, err
		}
		header.Add(f.name, encoded.ReplaceAllStringFunc(value, func(s string) string {
			return base64.StdEncoding.EncodeToString([]byte(s[len("base64(") : len(s)-1]))
		}))
	}
	if site == "west" {
		header.Set("X-VMWARE-VCLOUD-TENANT-CONTEXT", w.vars["acme_id"])
	}
	return w.client.Do(t, st.method, w.file.Site(site).API+path, header, strings.NewReader(body)), nil
}

const (
	requestIDHeader = "X-Vmware-Vcloud-Request-Id"
	servedBy        = "X-Causeway-Served-By"
)

// check compares an answer with what the script wants, and captures from it.
func (w *world) check(st step, a sitetest.Answer, vars, captured variables) error {
	if a.Status != st.status {
		return fmt.Errorf("status %d, want %d\n%s", a.Status, st.status, a.Body)
	}
	if ids := a.Header.Values(requestIDHeader); len(ids) != 1 || ids[0] == "" {
		return fmt.Errorf("an answer has one request id, not %q", ids)
	}
	for _, f := range st.wantHeader {
		want, err := vars.expand(f.value)
		if err != nil {
			return err
		}
		got := a.Header.Values(f.name)
		switch {
		case want == "" && len(got) > 0:
			return fmt.Errorf("the header %s is %q, want none", f.name, got)
		case want != "" && (len(got) != 1 || !pattern(want).MatchString(got[0])):
			return fmt.Errorf("the header %s is %q, want %s once", f.name, got, want)
		}
	}
	if st.wantBody != nil {
		want, err := vars.expand(*st.wantBody)
		if err != nil {
			return err
		}
		if got := strings.TrimSuffix(string(a.Body), "\n"); !pattern(strings.TrimSuffix(want, "\n")).MatchString(got) {
			return fmt.Errorf("the body differs\n got %s\nwant %s", got, want)
		}
	}
	for _, c := range st.captures {
		value, err := take(c.from, a.Header, a.Body)
		if err != nil {
			return fmt.Errorf("$%s: %w\n%s", c.variable, err, a.Body)
		}
		captured[c.variable] = value
	}
	return nil
}

// own are headers that belong to one exchange, or that lead to one host. What is
// left of a limit is less with each.
var own = []string{requestIDHeader, "X-Causeway-Peer-Request-Id", "Date", "Content-Length", "Link", "Ratelimit"}

var messageID = regexp.MustCompile(`\[ [0-9a-f-]{36} \]`)

// same compares the answer that came through a peer with the one of the site
// itself, less their request ids.
func same(direct, through sitetest.Answer) error {
	if direct.Status != through.Status {
		return fmt.Errorf("status %d directly, %d through the peer\n%s", direct.Status, through.Status, through.Body)
	}
	mask := func(b []byte) string { return messageID.ReplaceAllString(string(b), "[ … ]") }
	if a, b := mask(direct.Body), mask(through.Body); a != b {
		return fmt.Errorf("the bodies differ\n directly %s\n through the peer %s", a, b)
	}
	names := map[string]bool{}
	for name := range direct.Header {
		names[name] = true
	}
	for name := range through.Header {
		names[name] = true
	}
	for _, name := range own {
		delete(names, name)
	}
	if direct.Header.Get(servedBy) == "" {
		delete(names, servedBy) // nothing is served at the path, so nobody was asked who wants it
	}
	for name := range names {
		if a, b := direct.Header.Values(name), through.Header.Values(name); !slices.Equal(a, b) {
			return fmt.Errorf("the header %s is %q directly, %q through the peer", name, a, b)
		}
	}
	return nil
}
