package gateway

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"unicode"

	"github.com/gin-gonic/gin"

	"causeway/federation"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/internal/refusal"
	"causeway/services/upstream"
	"causeway/tenants"
)

// fail answers a refusal, after it was kept: whoever was denied something that
// they asked for in their own name must find it in the audit trail from the
// moment they know (R7).
func (g *Gateway) fail(c *gin.Context, err error) {
	in, part := here(c)
	if part {
		in.err = err
	}
	// A part that is refused in the caller's own organization is refused, or kept,
	// with the whole.
	if part && in.who.Via == "" {
		httpapi.Fail(c, err)
		return
	}
	g.KeepRefusal(c, err)
	if _, known := c.Value(keyWho).(tenants.Principal); !known && problem.Has(err, problem.TooManyRequests) {
		g.pace.hold(c.Request.Context())
	}
	httpapi.Fail(c, err)
}

// KeepRefusal returns when a refusal is kept that must not be lost.
func (g *Gateway) KeepRefusal(c *gin.Context, err error) {
	if g.refusals != nil && !clientLeft(c, err) {
		g.refusals.Record(c.Request.Context(), g.outcome(c, problem.From(err)))
	}
}

func clientLeft(c *gin.Context, err error) bool {
	return errors.Is(err, context.Canceled) && c.Request.Context().Err() != nil
}

func (g *Gateway) outcome(c *gin.Context, p *problem.Problem) refusal.Outcome {
	o := refusal.Outcome{
		At: g.now(), Problem: p, Address: httpapi.ClientAddr(c), RequestID: httpapi.RequestID(c), Org: g.concerned(c),
		Method: c.Request.Method, Route: route(c),
	}
	if who, ok := c.Value(keyWho).(tenants.Principal); ok {
		o.Principal, o.Facts = who, asked(c)
	}
	o.Peer, _ = fromPeer(c.Request.Context())
	if to, ok := c.Value(keyTarget).(federation.Target); ok {
		if o.Facts == nil {
			o.Facts = map[string]string{}
		}
		o.Facts[problem.FactOrganization], o.Facts[problem.FactSite] = to.OrgName, string(to.Site)
	}
	return o
}

// concerned is the organization in whose audit trail a refusal belongs. What is
// wrong with a request to a realm can show before the realm is looked for.
func (g *Gateway) concerned(c *gin.Context) tenants.OrgID {
	org := httpapi.Concerned(c)
	if name := c.Param("org"); org == "" && name != "" {
		return g.orgs.Remembered(name)
	}
	return org
}

func route(c *gin.Context) string {
	if path := c.FullPath(); path != "" {
		return path
	}
	return "instance"
}

// refusedByPeer keeps that another site said no. Why, it keeps itself; what an
// instance behind it said cannot be told from that.
func (g *Gateway) refusedByPeer(c *gin.Context, status int) {
	who, ok := c.Value(keyWho).(tenants.Principal)
	denied := status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusTooManyRequests
	if g.refusals == nil || !ok || !denied {
		return
	}
	to, _ := c.Value(keyTarget).(federation.Target)
	caller := httpapi.Anonymous(c)
	g.refusals.Note(refusal.Refusal{
		At: g.now(), Org: who.Org, RequestID: caller.RequestID, Actor: who.Actor(), Address: caller.Address,
		Method: c.Request.Method, Route: route(c), Status: status, Code: refusal.ByPeer,
		Detail: refusal.Detail{Facts: map[string]string{
			problem.FactOrganization: to.OrgName, problem.FactSite: string(to.Site),
			problem.FactPeerRequest: printable(c.Writer.Header().Get(httpapi.HeaderPeerRequest), maxPeerAnswer),
		}},
	})
}

// refusedByUpstream keeps that an instance said no to what was let through. Why, it
// keeps itself.
func (g *Gateway) refusedByUpstream(c *gin.Context, status int, in *upstream.Instance) {
	who, ok := c.Value(keyWho).(tenants.Principal)
	if g.refusals == nil || !ok {
		return
	}
	facts := map[string]string{problem.FactInstanceName: in.Name}
	if in.Service != nil {
		facts[problem.FactInstance] = string(in.Service.ID)
	}
	caller := httpapi.Anonymous(c)
	g.refusals.Note(refusal.Refusal{
		At: g.now(), Org: httpapi.Concerned(c), RequestID: caller.RequestID, Actor: who.Actor(), Address: caller.Address,
		Method: c.Request.Method, Route: route(c), Status: status, Code: refusal.ByUpstream, Detail: refusal.Detail{Facts: facts},
	})
}

// asked notes the organization that the context headers name, as they name it.
func asked(c *gin.Context) map[string]string {
	facts := map[string]string{}
	for fact, header := range map[string]string{
		problem.FactAskedOrg: httpapi.HeaderAuthContext, problem.FactAskedTenant: httpapi.HeaderTenantContext,
	} {
		if name := tame(c.GetHeader(header)); name != "" {
			facts[fact] = name
		}
	}
	return facts
}

// Bounds of what is kept of headers, in bytes. Longer than the first it must be
// an identifier: clients have put tokens into every header there is.
const (
	maxAskedName  = 24
	maxAsked      = 100
	maxPeerAnswer = 200
)

var identifier = regexp.MustCompile(`^(urn:vcloud:org:)?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(@[0-9a-fA-F-]{36})?$`)

func tame(value string) string {
	if len(value) > maxAskedName && !identifier.MatchString(value) {
		return ""
	}
	return printable(value, maxAsked)
}

func printable(value string, most int) string {
	if len(value) > most || strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return ""
	}
	return value
}
