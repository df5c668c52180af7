package route

import (
	"fmt"
	"strings"
	"time"

	"causeway/federation"
	"causeway/internal/problem"
	"causeway/tenants"
)

// A client told to come back sooner would only find the breaker still open; one
// told to come back later would sit out a recovery.
const (
	minRetry = 5 * time.Second
	maxRetry = 30 * time.Second
)

// maxListed bounds the message of an ambiguous name.
const maxListed = 20

// admit is rows 9 to 11: may the request leave for d now?
func admit(in Input, d Decision) Decision {
	peer, _ := in.View.Peer(d.Site)
	through := tenants.LocationID{Org: d.Org, Site: d.Site}
	if d.Row == RowTheirTenant {
		through.Org = tenants.SystemOrgID // what is associated with us is the provider there
	}
	switch status := (reachable{in}).status(through); {
	case !held(status):
		return d.refused(RowIncomplete, problem.New(problem.Forbidden,
			"The association with this organization is incomplete: the other side has not confirmed it.").
			With(d.facts(problem.ReasonIncomplete)...))
	case status == federation.Unreachable || peer.Open:
		return d.refused(RowUnreachable, problem.New(problem.SiteUnreachable,
			"The site of this organization cannot be reached now.").After(ClampRetry(peer.RetryAfter)).
			With(d.facts(problem.ReasonUnreachable)...))
	case in.ViaSelf:
		// Between peers this is a 508; a client is told why in words it can read.
		return d.refused(RowLoop, problem.New(problem.Unavailable, "This request has passed through this site before."))
	}
	return d
}

// ClampRetry keeps a Retry-After for an unreachable site between 5 and 30 seconds.
func ClampRetry(d time.Duration) time.Duration { return min(max(d, minRetry), maxRetry) }

func refuse(row Row, p *problem.Problem) Decision {
	return Decision{Row: row, Problem: p.With(problem.FactRule, string(row))}
}

func (d Decision) refused(row Row, p *problem.Problem) Decision {
	d.Row, d.Kind, d.Problem = row, Refuse, p.With(problem.FactRule, string(row))
	return d
}

// facts say where the request would have gone.
func (d Decision) facts(reason string) []string {
	return []string{problem.FactReason, reason, problem.FactOrganization, d.OrgName, problem.FactSite, string(d.Site)}
}

// unknown is the one answer to everything a session may not reach. It must not
// depend on whether the organization exists.
func unknown(row Row) Decision {
	return refuse(row, problem.New(problem.Forbidden, "The requested organization is not available to this session.").
		With(problem.FactReason, problem.ReasonNoAssoc))
}

func ambiguous(found []target) Decision {
	d := Decision{Row: RowAmbiguous}
	var list []string
	for _, t := range found {
		d.Candidates = append(d.Candidates, t.LocationID)
		list = append(list, t.String())
	}
	more := ""
	if len(list) > maxListed {
		more = fmt.Sprintf(" and %d more", len(list)-maxListed)
		list = list[:maxListed]
	}
	d.Problem = problem.New(problem.AmbiguousAuthContext,
		"Several organizations have this name. Name one as %s: %s%s.", AuthContextHeader, strings.Join(list, ", "), more)
	return d
}
