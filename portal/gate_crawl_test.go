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
	*world
	t        *testing.T
	portal   portalOf
	session  string
	patterns map[string]*regexp.Regexp
	found    map[string][]string // pattern → addresses of pages
	count    map[string]int      // pattern → how often it was asked for
	seen     map[string]bool
}

func (w *world) crawl(t *testing.T, p portalOf) *crawler {
	t.Helper()
	c := &crawler{world: w, t: t, portal: p, session: w.session(t, p), patterns: map[string]*regexp.Regexp{}, found: map[string][]string{}, count: map[string]int{}, seen: map[string]bool{}}
	prefix := strings.TrimPrefix(p.URL, w.West.API)
	for _, page := range pages(t) {
		if page.method == http.MethodGet && page.tenants() == (p == w.Acme) {
			path := strings.Replace(page.path, "/tenant/:org", prefix, 1)
			c.patterns[page.path] = regexp.MustCompile("^" + parameter.ReplaceAllString(path, "[^/]+") + "$")
		}
	}
	c.visit(prefix)
	return c
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
	seedHostile(t, w)
	seen, both := map[string]bool{}, false
	for _, p := range []struct {
		name string
		portalOf
	}{{"provider", w.Provider}, {"tenant", w.Acme}} {
		t.Run(p.name, func(t *testing.T) {
			c := w.crawl(t, p.portalOf)
			both = len(seen) > 0
			tab := p.enter(t, browsertest.Look{})
			for _, pattern := range slices.Sorted(maps.Keys(c.found)) {
				if !seen[below(pattern)] { // one template makes the pages of both
					w.look(t, tab, c.found[pattern][0])
				}
			}
			for pattern := range c.count {
				seen[below(pattern)] = true
			}
		})
	}
	for _, page := range pages(t) {
		at := below(page.path)
		if !both {
			break // a run that is narrowed to one portal
		}
		if page.method == http.MethodGet && !seen[at] && !slices.Contains(rare, at) {
			t.Errorf("no link leads to %s", page.path)
		}
	}
	if err := browsertest.NoAxe(); err != nil {
		t.Skip(err)
	}
}

// look looks at one page with a browser.
func (w *world) look(t *testing.T, tab *browsertest.Tab, address string) {
	t.Helper()
	tab.Look(browsertest.Look{})
	tab.Go(w.West.API + address)
	var odd []string
	tab.Eval(`[...document.querySelectorAll("*")].filter(e => [...e.attributes].some(a => /^on|^style$/.test(a.name) || /^\s*(javascript|data|vbscript):/i.test(a.value))
		|| (e.matches("script, link, img, iframe, object, embed, base, meta[http-equiv]") && !e.matches('head > [href^="/portal/assets/"], head > [src^="/portal/assets/"]'))
	).map(e => e.outerHTML)`, &odd)
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
