package portal_test

import (
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"causeway/internal/browsertest"
)

// perPattern is how many pages of one kind are looked at.
const perPattern = 3

// rare are the ends of addresses to which links lead only in a state that the site of
// the crawl is not in.
var rare = []string{
	"/applications/apps/:app/end-overlap", "/applications/instances/:id/accounts/:account/end", "/monitor/tasks/:id",
	"/administration/access-control/service-accounts/:id/granted", "/administration/access-control/roles/:id/compare",
	"/administration/access-control/users/:id/enable", "/administration/access-control/users/:id/unlock",
	"/administration/access-control/global-roles/:id/unpublish", "/administration/access-control/global-roles/:id/unpublish-all",
	"/administration/access-control/rights-bundles/:id/unpublish", "/administration/access-control/rights-bundles/:id/unpublish-all",
	"/administration/quotas/policy/:id", "/administration/quotas/policy/:id/delete",
}

var (
	link     = regexp.MustCompile(`<a [^>]*href="([^"]*)"`)
	noText   = regexp.MustCompile(`\[[a-z]+(\.[a-z0-9]+)+\]|.{0,40}%!.{0,40}|<no value>|ZgotmplZ|\bnil\b`)
	titled   = regexp.MustCompile(`<title>[^<]+</title>`)
	anything = regexp.MustCompile(`(?s)<(script|style)\b.*?</(script|style)>`)
)

// crawler follows every link inside a portal.
type crawler struct {
	*hostile
	t        *testing.T
	portal   portalOf
	session  string
	patterns map[string]*regexp.Regexp
	found    map[string][]string // pattern → addresses of pages
	count    map[string]int      // pattern → how often it was asked for
	seen     map[string]bool
	more     []string       // addresses to which no link leads
	answers  [][2]string    // forms that pages answer: address and what is sent
	attacks  map[string]int // address → how many things it shows whose name is an attack
}

func (h *hostile) crawl(t *testing.T, p portalOf) *crawler {
	t.Helper()
	c := &crawler{
		hostile: h, t: t, portal: p, session: h.session(t, p), patterns: map[string]*regexp.Regexp{}, found: map[string][]string{},
		count: map[string]int{}, seen: map[string]bool{}, attacks: map[string]int{},
	}
	prefix := strings.TrimPrefix(p.URL, h.West.API)
	for _, page := range pages(t) {
		if page.method == http.MethodGet && page.tenants() == (p == h.Acme) {
			path := strings.Replace(page.path, "/tenant/:org", prefix, 1)
			c.patterns[page.path] = regexp.MustCompile("^" + parameter.ReplaceAllString(path, "[^/]+") + "$")
		}
	}
	c.visit(prefix)
	more := []string{"/tenant/" + url.PathEscape(attacks[0]) + "/login", prefix + "/multisite/explain?auth=" + h.located}
	for _, request := range h.explained {
		more = append(more, prefix+"/monitor/explain?id="+request)
	}
	if p == h.Provider { // looks at an organization that is called an attack
		for _, page := range []string{"", "/administration/settings", "/monitor/audit", "/multisite/organizations", "/applications/apps"} {
			more = append(more, "/tenant/"+url.PathEscape(h.named)+page)
		}
	}
	for _, at := range more {
		a := h.send(t, http.MethodGet, h.West.API+at, c.session, nil)
		if c.check(at, a.Status, string(a.Body), a.Header) {
			c.more = append(c.more, at)
		}
		if strings.Contains(at, "/monitor/explain") && !strings.Contains(string(a.Body), "It was refused with") {
			t.Errorf("%s does not explain the refusal", at)
		}
	}
	if p == h.Acme { // what waits for its review is shown to who types its code
		for _, code := range h.codes {
			c.answer(prefix+"/administration/access-control/service-accounts/review", url.Values{"code": {code}})
		}
		c.answer(prefix+"/administration/access-control/service-accounts/new", url.Values{
			"step": {"quota"}, "name": {attacks[0]}, "role": {h.role}, "softwareId": {"bc2528fd-35c4-44e5-a55d-62e5c4bd9c99"},
			"softwareVersion": {attacks[1]}, "uri": {`https://app.example/?'"><svg/onload=pwned()>`}, "quota": {h.policy},
		})
	}
	for pattern, list := range c.found {
		if strings.HasSuffix(pattern, "/publish") { // what is published is looked over first
			c.answer(list[0], url.Values{"orgs": {h.named}})
		}
	}
	for _, list := range c.found {
		slices.SortStableFunc(list, func(a, b string) int { return c.attacks[b] - c.attacks[a] })
	}
	return c
}

// answer reads the page by which a form is answered.
func (c *crawler) answer(at string, form url.Values) {
	c.t.Helper()
	a := c.send(c.t, http.MethodPost, c.West.API+at, c.session, form).Want(c.t, http.StatusOK)
	c.check(at, a.Status, string(a.Body), a.Header)
	c.answers = append(c.answers, [2]string{at, form.Encode()})
}

// below is a page's address in its portal.
func below(pattern string) string {
	return strings.TrimPrefix(strings.TrimPrefix(pattern, "/provider"), "/tenant/:org")
}

// pattern is the page that an address is of, or empty. The most exact one wins.
func (c *crawler) pattern(path string) (best string) {
	for pattern, match := range c.patterns {
		if match.MatchString(path) && (best == "" || strings.Count(pattern, ":") < strings.Count(best, ":")) {
			best = pattern
		}
	}
	return best
}

func (c *crawler) visit(address string) {
	todo := []string{address}
	for len(todo) > 0 {
		address, todo = todo[0], todo[1:]
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "" || u.Host != "" || strings.HasSuffix(u.Path, "/login") {
			continue
		}
		u.Fragment = ""
		pattern := c.pattern(u.EscapedPath())
		if c.seen[u.String()] || pattern == "" {
			continue
		}
		c.seen[u.String()] = true
		// With another order or page a list is the same page again.
		if c.count[pattern] >= perPattern {
			continue
		}
		a := c.send(c.t, http.MethodGet, c.West.API+u.String(), c.session, nil)
		c.count[pattern]++
		if c.check(u.String(), a.Status, string(a.Body), a.Header) {
			c.found[pattern] = append(c.found[pattern], u.String())
		}
		for _, m := range link.FindAllStringSubmatch(string(a.Body), -1) {
			next, err := u.Parse(html.UnescapeString(m[1]))
			if err != nil {
				c.t.Errorf("%s links to %q", u, m[1])
				continue
			}
			if next.Scheme != "" && next.Scheme != "http" && next.Scheme != "https" {
				c.t.Errorf("%s links to %q", u, m[1])
			}
			todo = append(todo, next.String())
		}
	}
}

// check is what every page has. It reports whether this is one, and no download.
func (c *crawler) check(at string, status int, body string, head http.Header) bool {
	c.t.Helper()
	if status != http.StatusOK && !(status == http.StatusSeeOther) && head.Get("Content-Disposition") == "" {
		c.t.Errorf("%s answers %d", at, status)
	}
	if head.Get("Cache-Control") != "no-store" || head.Get("X-Content-Type-Options") != "nosniff" {
		c.t.Errorf("%s: the head is %v", at, head)
	}
	if !strings.HasPrefix(head.Get("Content-Type"), "text/html") || status != http.StatusOK {
		return false
	}
	for _, a := range append(attacks, quiet) {
		if strings.Contains(body, a) {
			c.t.Errorf("%s holds %s as it was stored", at, a)
		}
	}
	c.attacks[at] = c.sees(body)
	if n := strings.Count(body, "<h1"); n != 1 {
		c.t.Errorf("%s has %d headings of the first level", at, n)
	}
	if !titled.MatchString(body) || !strings.Contains(body, `<html lang="en">`) {
		c.t.Errorf("%s has no title, or no language", at)
	}
	if odd := noText.FindString(tag.ReplaceAllString(anything.ReplaceAllString(body, ""), " ")); odd != "" {
		c.t.Errorf("%s shows %q", at, odd)
	}
	return true
}

// TestEveryPage looks at every page of both portals, of a site in which everything
// that can be stored is an attack: nothing of it runs, nothing is beyond the window,
// narrow and wide, light and dark, and nobody is kept out.
func TestEveryPage_S(t *testing.T) {
	w := start(t)
	h := seedHostile(t, w)
	seen, both := map[string]int{}, false // how many attacks were on the page that was looked at
	var crawled []*crawler
	for _, p := range []struct {
		name string
		portalOf
	}{{"provider", w.Provider}, {"tenant", w.Acme}} {
		t.Run(p.name, func(t *testing.T) {
			c := h.crawl(t, p.portalOf)
			crawled = append(crawled, c)
			both = len(seen) > 0
			tab := p.enter(t, browsertest.Look{})
			for _, pattern := range slices.Sorted(maps.Keys(c.found)) {
				most := c.found[pattern][0]
				// One template makes the pages of both.
				if n, ok := seen[below(pattern)]; !ok || n < c.attacks[most] {
					w.look(t, tab, most)
				}
				seen[below(pattern)] = c.attacks[most]
			}
			c.alive(tab)
			for pattern := range c.count {
				seen[below(pattern)] += 0
			}
		})
	}
	for _, page := range pages(t) {
		at := below(page.path)
		if !both {
			break // a run that is narrowed to one portal
		}
		if _, looked := seen[at]; page.method == http.MethodGet && !looked && !slices.Contains(rare, at) {
			t.Errorf("no link leads to %s", page.path)
		}
	}
	filled := map[string]bool{}
	for _, c := range slices.Backward(crawled) { // the provider's forms change what the tenant's pages are of
		t.Run("forms", func(t *testing.T) { c.forms(t, filled) })
	}
	w.tellsInWords(t)
	for _, what := range h.unseen() {
		if both {
			t.Errorf("no page shows the %s", what)
		}
	}
	if err := browsertest.NoAxe(); err != nil {
		t.Skip(err)
	}
}

// look looks at one page with a browser. A script that runs or is refused, and what is
// asked of another host, is a fault of the tab.
func (w *world) look(t *testing.T, tab *browsertest.Tab, address string) {
	t.Helper()
	tab.Look(browsertest.Look{})
	tab.Go(w.West.API + address)
	var odd []string
	tab.Eval(script(t, alive, "() => alive(document)"), &odd)
	for _, o := range odd {
		t.Errorf("%s holds %s", address, o)
	}
	for _, look := range []struct {
		browsertest.Look
		rules []string // of axe that depend on the look; none for all
	}{{}, {browsertest.Look{Width: 360, Dark: true}, []string{"color-contrast", "target-size", "scrollable-region-focusable"}}} {
		tab.Look(look.Look)
		if tab.Overflows() {
			t.Errorf("%s is wider than a window of %d", address, look.Width)
		}
		if browsertest.NoAxe() == nil {
			for _, b := range tab.Barriers(look.rules...) {
				t.Errorf("%s at %+v: %s", address, look.Look, b)
			}
		}
	}
}
