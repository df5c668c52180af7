package httpapi

import (
	"github.com/gin-gonic/gin"

	"causeway/internal/problem"
	"causeway/tenants"
)

// OwnAPI is where the endpoints begin that VCD does not have.
const OwnAPI = "/cloudapi/causeway/1.0.0"

// AnySession in Route.Rights admits every authenticated principal.
const AnySession tenants.Right = "any session"

// Call is an authorized request: who asks, and the organization in which it is
// fulfilled here.
type Call struct {
	tenants.Caller
	Org *tenants.Snapshot
}

// Route is an endpoint for authenticated callers who hold one of Rights in the
// organization where the request is fulfilled.
type Route struct {
	Method string
	Path   string // gin syntax, without a trailing slash
	Rights []tenants.Right
	// Home keeps requests from crossing to or from a peer: their bodies hold
	// tokens, which never leave their site.
	Home bool
	// Apps admits server-to-server apps, whose rights are not those of a role: what
	// they may, the handler asks of their grants. Elsewhere there are none.
	Apps bool
	// Upgrade lets a request become a WebSocket at a peer, whose instance's rules
	// say whether it may.
	Upgrade bool
	// List makes one list of what several locations answer; nil for what is no list.
	List List
	Do   func(*gin.Context, Call) error
	// Judge decides in the place of Rights who may, where rights are not what counts.
	Judge func(c *gin.Context, who tenants.Principal, org *tenants.Snapshot) error
	// Here keeps a request at this site, although it names another's organization:
	// what it asks for is here, and nowhere else.
	Here bool
}

// Open is an endpoint that anyone may call. Its handler never sees a Call, so
// an endpoint that forgets to ask who calls does not compile.
type Open struct {
	Method string
	Path   string
	Do     func(*gin.Context) error
	// Admit refuses what must cost next to nothing, before anything is prepared for
	// Do; may be nil. It changes nothing.
	Admit func(*gin.Context) error
	// AnyVersion serves also who insists on an API version that we do not speak:
	// how else would they find out.
	AnyVersion bool
}

// Between is an endpoint that associated sites call on their own behalf, without
// an assertion: the channel says which site asks. On other listeners than the
// peers' there is nothing at its path.
type Between struct {
	Method string
	Path   string
	Do     func(c *gin.Context, from tenants.SiteID) error
}

// Endpoints is what a package of handlers offers.
type Endpoints struct {
	Routes  []Route
	Open    []Open
	Between []Between
	Pages   []PortalPage
	// DrawFailure draws the refusal of a page.
	DrawFailure func(*gin.Context, *problem.Problem)
}

// Add joins more endpoints to e.
func (e *Endpoints) Add(more Endpoints) {
	e.Routes = append(e.Routes, more.Routes...)
	e.Open = append(e.Open, more.Open...)
	e.Between = append(e.Between, more.Between...)
	e.Pages = append(e.Pages, more.Pages...)
	if more.DrawFailure != nil {
		e.DrawFailure = more.DrawFailure
	}
}
