package ui

import (
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/tenants"
)

// Screen is one request for a page.
type Screen struct {
	*gin.Context
	Call *httpapi.Call // who looks and in which organization; nil before the login
	Base string        // "/provider" or "/tenant/{org}", escaped
	kit  *Kit
}

func (k *Kit) screen(c *gin.Context, call *httpapi.Call) *Screen {
	base := "/provider"
	if org := orgOf(c); org != "" {
		base = TenantPath(org)
	}
	return &Screen{Context: c, Call: call, Base: base, kit: k}
}

// orgOf is the organization that the address names, also one at which there is no
// page.
func orgOf(c *gin.Context) string {
	if org := c.Param("org"); org != "" {
		return org
	}
	below, _ := strings.CutPrefix(c.Request.URL.Path, "/tenant/")
	if below == c.Request.URL.Path {
		return ""
	}
	org, _, _ := strings.Cut(below, "/")
	return org
}

// TenantPath is where the portal of a tenant begins.
func TenantPath(org string) string { return "/tenant/" + url.PathEscape(org) }

// Org is the organization of the page.
func (s *Screen) Org() *tenants.Snapshot { return s.Call.Org }

// By is who looks, for what they change.
func (s *Screen) By() tenants.Caller { return s.Call.Caller }

// Provider reports whether this is the provider's portal.
func (s *Screen) Provider() bool { return s.Base == "/provider" }

// Visiting reports whether a provider looks at a tenant's portal.
func (s *Screen) Visiting() bool {
	return s.Call != nil && s.Call.Principal.Provider() && !s.Provider()
}

// Can reports whether who looks has one of the rights, to show or leave out what
// needs it. It is no guard: the page's own Rights and the domain's rules are.
func (s *Screen) Can(rights ...tenants.Right) bool {
	return s.Call != nil && s.kit.config.Allows(s.Call.Org, s.Call.Principal, rights...)
}

// Path is an address in this portal; its parts are escaped.
func (s *Screen) Path(parts ...string) string {
	var b strings.Builder
	b.WriteString(s.Base)
	for _, p := range parts {
		for e := range strings.SplitSeq(p, "/") {
			if e != "" {
				b.WriteByte('/')
				b.WriteString(url.PathEscape(e))
			}
		}
	}
	return b.String()
}

// T is a text of the portal.
func (s *Screen) T(key string, args ...any) string { return s.kit.texts.Say(key, args...) }

// Count is a text of the portal about n things.
func (s *Screen) Count(key string, n int, args ...any) string {
	return s.kit.texts.Count(key, n, args...)
}

// Download answers with a file that the browser keeps and never shows as a page.
func (s *Screen) Download(name, media string, body []byte) error {
	guard(s.Context)
	s.Header("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	s.Data(http.StatusOK, media, body)
	return nil
}

// Frame is what a template is given: S is the request, D what the page is about.
type Frame struct {
	S     *Screen
	D     any
	Title string
	Trail []Crumb
}

// Crumb is a step of the way to a page.
type Crumb struct{ Text, Path string }

// Site is the site's name.
func (f Frame) Site() string { return f.S.kit.config.SiteName() }

// Menu is the menu as who looks sees it.
func (f Frame) Menu() []MenuSection { return f.S.kit.menuOf(f.S) }

// Notice is the text of what was just done, or empty.
func (f Frame) Notice() string {
	if key := "did." + httpapi.TakeNotice(f.S.Context); f.S.kit.texts.Has(key) {
		return f.S.T(key)
	}
	return ""
}

// Show draws a page. title is the key of a text.
func (s *Screen) Show(page, title string, data any) error {
	return s.ShowStatus(http.StatusOK, page, title, data)
}

// ShowStatus is Show with a status.
func (s *Screen) ShowStatus(status int, page, title string, data any) error {
	return s.ShowFrame(status, page, Frame{S: s, D: data, Title: s.T(title)})
}

// ShowFrame is Show for pages whose title says what they are about, or that stand
// below others.
func (s *Screen) ShowFrame(status int, page string, f Frame) error {
	f.S = s
	body, err := s.kit.render(page, f)
	if err != nil {
		return err
	}
	guard(s.Context)
	s.Data(status, "text/html; charset=utf-8", body)
	return nil
}

// guard tells the browser what the page may do: load our own files, send forms to
// us, be framed by nobody, and not be kept.
func guard(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin") // without any a form would not say where it comes from
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// Go answers with another page.
func (s *Screen) Go(to string) {
	guard(s.Context)
	s.Redirect(http.StatusSeeOther, to)
}

// Done goes to a page of this portal and says there what was done: the text
// "did.<what>", once.
func (s *Screen) Done(to, what string) error {
	httpapi.KeepNotice(s.Context, what)
	s.Go(to)
	return nil
}

// Fault is what is wrong with what somebody sent, for the form that they sent it
// from. What is nobody's fault, and the end of a session, are errors still.
func (s *Screen) Fault(err error) (*problem.Problem, error) {
	p := problem.As(err)
	if p == nil || p.Code.Row().Status >= http.StatusInternalServerError || p.Code == problem.Unauthenticated {
		return nil, err
	}
	httpapi.NoteRefused(s.Context, err)
	return p, nil
}
