package refusal

import (
	"cmp"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/ratelimit"
	"causeway/tenants"
)

// Outcome is a refused request as the gateway saw it. Of a flood most are not
// kept, so it costs nothing to make one.
type Outcome struct {
	At        time.Time
	Problem   *problem.Problem
	Principal tenants.Principal // zero for strangers
	Address   netip.Addr
	RequestID string
	Org       tenants.OrgID  // of the realm, or where it is fulfilled; empty if not known
	Peer      tenants.SiteID // that sent it; empty at the public listener
	Method    string
	Route     string
	Facts     map[string]string // besides the problem's; may be nil
}

// Keeping says how carefully a refusal is kept.
type Keeping int

const (
	// Skip is for noise: nobody was denied anything that they could have had.
	Skip Keeping = iota
	// Queue is for refusals of strangers. They can cause any number of them, so
	// nobody waits for the write and a flood is cut off.
	Queue
	// Durable is for whoever proved who they are: it is written before the answer
	// (R7).
	Durable
)

// Keeping judges an outcome.
func (o Outcome) Keeping() Keeping {
	status := o.Problem.Code.Row().Status
	denied := status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusTooManyRequests
	switch o.Problem.Code {
	case problem.AuthorizationPending: // "not yet" is no refusal
		return Skip
	case problem.UnknownPath, problem.MethodNotAllowed:
		return Skip
	}
	switch {
	case denied && o.Principal.ID != "":
		return Durable
	case denied, status >= http.StatusInternalServerError, o.Principal.ID != "", strings.HasPrefix(o.Route, "/oauth/"):
		return Queue
	}
	return Skip
}

// Refusal is what is kept of an outcome.
func (o Outcome) Refusal() Refusal {
	r := Refusal{
		At: o.At, Org: o.org(), RequestID: o.RequestID, Actor: o.actor(), Address: o.Address.String(),
		Method: o.Method, Route: o.Route, Status: o.Problem.Code.Row().Status, Code: string(o.Problem.Code),
		Detail: Detail{Facts: o.facts()},
	}
	if !quotes[o.Problem.Code] {
		r.Message = o.Problem.Detail
	}
	if limit, ok := o.limit(); ok {
		r.set(problem.FactLimit, string(limit.Name))
		r.set(problem.FactBucket, string(limit.Kind))
	}
	return r
}

// limit is the limit that refused, if one did.
func (o *Outcome) limit() (ratelimit.Refusal, bool) {
	return errors.AsType[ratelimit.Refusal](o.Problem.Err)
}

// quotes are the codes whose text may repeat what the client sent, which could
// be anything.
var quotes = map[problem.Code]bool{
	problem.InvalidRequest: true, problem.BadRequest: true, problem.TooLarge: true, problem.DuplicateName: true,
	problem.Conflict: true, problem.InvalidScope: true, problem.UnsupportedGrantType: true, problem.NotAcceptable: true,
}

// facts are those of the request and of every problem in the chain; of two with
// one name that of the outer counts.
func (o *Outcome) facts() map[string]string {
	all := map[string]string{}
	for err := error(o.Problem); err != nil; err = errors.Unwrap(err) {
		p, ok := err.(*problem.Problem)
		if !ok {
			continue
		}
		for name, value := range p.Facts {
			if all[name] == "" {
				all[name] = value
			}
		}
	}
	for name, value := range o.Facts {
		if all[name] == "" {
			all[name] = value
		}
	}
	return all
}

func (r *Refusal) set(name, value string) {
	r.Facts[name] = value
}

// org is whose audit trail shows it: where the request would have been
// fulfilled, else the caller's own, else the provider's.
func (o *Outcome) org() tenants.OrgID {
	return cmp.Or(o.Org, o.Principal.Org, tenants.SystemOrgID)
}

func (o *Outcome) actor() journal.Actor {
	if o.Peer != "" && o.Principal.ID == "" {
		return journal.Actor{Kind: ActorSite, ID: string(o.Peer)}
	}
	return tenants.Caller{Principal: o.Principal}.Actor()
}
