package httpapi

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/problem"
	"causeway/tenants"
)

// PortalPage is a page of the portal, or where one of its forms is sent. The
// browser's cookie says who asks, and the path in which organization: :org, or the
// provider's where there is none.
type PortalPage struct {
	Method string
	Path   string // gin syntax, without a trailing slash
	Rights []tenants.Right
	Do     func(*gin.Context, Call) error
}

// sessionCookie holds a person's access token. Its prefix makes browsers refuse it
// from anywhere but this host over TLS (RFC 6265bis §4.1.3.2).
const sessionCookie = "__Host-causeway"

// KeepSession gives the browser its access token. Scripts cannot read it, and other
// sites' pages send it with nothing but links to this one.
func KeepSession(c *gin.Context, token string) { setSession(c, token, 0) }

// DropSession takes the access token away from the browser.
func DropSession(c *gin.Context) { setSession(c, "", -1) }

func setSession(c *gin.Context, token string, age int) { setCookie(c, sessionCookie, token, age) }

func setCookie(c *gin.Context, name, value string, age int) {
	http.SetCookie(c.Writer, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: age, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// noticeCookie holds what was just done, for the page that comes next. An address
// could not: a link would make a page say that something was done.
const noticeCookie = "__Host-causeway-did"

// noticeAge is how long the next page may take, in seconds.
const noticeAge = 60

// KeepNotice has the browser bring what to the page that comes next.
func KeepNotice(c *gin.Context, what string) { setCookie(c, noticeCookie, what, noticeAge) }

// TakeNotice is what was kept, or empty, and takes it away from the browser.
func TakeNotice(c *gin.Context) string {
	found := c.Request.CookiesNamed(noticeCookie)
	if len(found) == 0 {
		return ""
	}
	if setCookie(c, noticeCookie, "", -1); len(found) > 1 {
		return ""
	}
	return found[0].Value
}

// SessionToken is the access token that the browser sends, or empty. Two cookies of
// the name are none: one of them is somebody else's work.
func SessionToken(r *http.Request) string {
	if found := r.CookiesNamed(sessionCookie); len(found) == 1 {
		return found[0].Value
	}
	return ""
}

// Origins refuses what pages of other sites send in a person's name.
type Origins struct{ guard *http.CrossOriginProtection }

// NewOrigins takes the pages of publicURL for our own, and those of the host that a
// request names: behind a proxy a site is not called what its public URL says.
func NewOrigins(publicURL string) Origins {
	guard := http.NewCrossOriginProtection()
	_ = guard.AddTrustedOrigin(publicURL) // an unusable one is trusted by nobody
	return Origins{guard}
}

// Check is nil for what changes nothing and for forms of our own pages. A browser
// says where a form comes from; a change without a word of that is no form.
func (o Origins) Check(r *http.Request) error {
	unsaid := r.Method != http.MethodGet && r.Method != http.MethodHead &&
		r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == ""
	if unsaid || o.guard.Check(r) != nil {
		return problem.New(problem.Forbidden, "The form was not sent from a page of this site, so nothing was changed.")
	}
	return nil
}

// DrawFailures has refusals of this request drawn as a page instead of being
// written in a dialect of the API.
func DrawFailures(c *gin.Context, draw func(*gin.Context, *problem.Problem)) {
	identityOf(c).draw = draw
}
