package ui

import (
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/tenants"
)

// Portal says in which of the two portals a page is.
type Portal int

const (
	Both     Portal = iota
	Provider        // /provider/…
	Tenant          // /tenant/{org}/…
)

// Page is a page, or where a form of one is sent. Path begins below the portal.
type Page struct {
	Method string // empty is GET
	Path   string
	In     Portal
	Rights []tenants.Right // any of which opens it
	Do     func(*Screen) error
	Menu   *Menu // its entry in the menu; nil for none
}

// Menu is an entry of the menu. Its words are the text "menu.<Key>", and
// "menu.<Key>.about" on the front page.
type Menu struct {
	Section Section
	Key     string
	Order   int
	Icon    string // of parts/icons.html
}

// Section is a part of the menu; its words are the text "menu.<Section>".
type Section string

// The sections in the order of the menu.
const (
	AccessControl Section = "accesscontrol"
	Applications  Section = "applications"
	Organizations Section = "organizations"
	Multisite     Section = "multisite"
	Monitoring    Section = "monitoring"
	Own           Section = "own"
)

var sections = []Section{AccessControl, Applications, Organizations, Multisite, Monitoring, Own}

func (p Portal) has(provider bool) bool { return p == Both || (p == Provider) == provider }

// Endpoints are the pages as the gateway serves them.
func (k *Kit) Endpoints(pages []Page) httpapi.Endpoints {
	e := httpapi.Endpoints{DrawFailure: k.drawFailure}
	for _, page := range pages {
		if page.Menu != nil {
			k.menu = append(k.menu, page)
		}
		if page.Method == "" {
			page.Method = http.MethodGet
		}
		for _, at := range []struct {
			base     string
			provider bool
		}{{"/provider", true}, {"/tenant/:org", false}} {
			if page.In.has(at.provider) {
				e.Pages = append(e.Pages, httpapi.PortalPage{
					Method: page.Method, Path: at.base + page.Path, Rights: page.Rights, Do: k.serve(page.Do),
				})
			}
		}
	}
	return e
}

func (k *Kit) serve(do func(*Screen) error) func(*gin.Context, httpapi.Call) error {
	return func(c *gin.Context, call httpapi.Call) error { return do(k.screen(c, &call)) }
}

// Open makes an endpoint for everybody whose failures are drawn as pages. The
// screen of its handler has no caller.
func (k *Kit) Open(method, path string, do func(*Screen) error) httpapi.Open {
	return httpapi.Open{Method: method, Path: path, AnyVersion: true, Do: func(c *gin.Context) error {
		httpapi.DrawFailures(c, k.drawFailure)
		if err := k.origins.Check(c.Request); err != nil {
			return err
		}
		return do(k.screen(c, nil))
	}}
}

// drawFailure shows a refusal. Whoever is not logged in, and asked for a page, is
// asked to log in and comes back to it.
func (k *Kit) drawFailure(c *gin.Context, p *problem.Problem) {
	s := k.screen(c, nil)
	if p.Code == problem.Unauthenticated && c.Request.Method == http.MethodGet {
		s.Go(s.Path("login") + "?to=" + url.QueryEscape(c.Request.URL.RequestURI()))
		return
	}
	row := p.Code.Row()
	if err := s.ShowStatus(row.Status, "ui/failure", "failure.title", Failure{Problem: p, RequestID: httpapi.RequestID(c), Login: s.Path("login")}); err != nil {
		c.String(http.StatusInternalServerError, "%s", s.T("failure.internal"))
	}
}

// Failure is what the page of a refusal shows.
type Failure struct {
	Problem   *problem.Problem
	RequestID string
	Login     string
}

// Ended reports whether the session is over.
func (f Failure) Ended() bool { return f.Problem.Code == problem.Unauthenticated }

// Missing reports whether there is nothing here, or nothing for this person.
func (f Failure) Missing() bool {
	return f.Problem.Code == problem.NotFound || f.Problem.Code == problem.UnknownPath
}
