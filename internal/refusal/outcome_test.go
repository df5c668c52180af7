package refusal_test

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"causeway/internal/problem"
	"causeway/internal/refusal"
	"causeway/ratelimit"
	"causeway/tenants"
)

var jane = tenants.Principal{Kind: tenants.KindUser, ID: "0e", Name: "jane", Org: "6f6f"}

func outcome(p *problem.Problem, who tenants.Principal, route string) refusal.Outcome {
	return refusal.Outcome{
		Problem: p, Route: route, Method: "GET", Principal: who, Address: netip.MustParseAddr("192.0.2.7"), RequestID: "id",
	}
}

// Whoever proved who they are has every denial on disk; what strangers cause is
// kept as far as it can be borne; noise is not.
func TestKeeping_R7(t *testing.T) {
	const api, oauth = "/api/org", "/oauth/tenant/:org/token"
	for _, tt := range []struct {
		code  problem.Code
		who   tenants.Principal
		route string
		want  refusal.Keeping
	}{
		{problem.Forbidden, jane, api, refusal.Durable},
		{problem.NotFound, jane, api, refusal.Durable},
		{problem.Unauthenticated, jane, api, refusal.Durable},
		{problem.TooManyRequests, jane, api, refusal.Durable},
		{problem.BadRequest, jane, api, refusal.Queue},
		{problem.SiteUnreachable, jane, "instance", refusal.Queue},
		{problem.UnknownPath, jane, "instance", refusal.Skip},
		{problem.Unauthenticated, tenants.Principal{}, api, refusal.Queue},
		{problem.InvalidGrant, tenants.Principal{}, oauth, refusal.Queue},
		{problem.Replayed, tenants.Principal{}, oauth, refusal.Queue},
		{problem.SlowDown, tenants.Principal{}, oauth, refusal.Queue},
		{problem.InvalidRequest, tenants.Principal{}, oauth, refusal.Queue},
		{problem.TooManyRequests, tenants.Principal{}, oauth, refusal.Queue},
		{problem.AuthorizationPending, tenants.Principal{}, oauth, refusal.Skip},
		{problem.BadRequest, tenants.Principal{}, api, refusal.Skip},
		{problem.NotAcceptable, tenants.Principal{}, api, refusal.Skip},
		{problem.UnknownPath, tenants.Principal{}, "instance", refusal.Skip},
		{problem.MethodNotAllowed, tenants.Principal{}, oauth, refusal.Skip},
	} {
		if got := outcome(problem.New(tt.code, ""), tt.who, tt.route).Keeping(); got != tt.want {
			t.Errorf("%s of %q at %s: %d, want %d", tt.code, tt.who.Name, tt.route, got, tt.want)
		}
	}
}

func TestRefusal_SaysWhatDecided(t *testing.T) {
	inner := problem.New(problem.Forbidden, "inside").With(problem.FactReason, problem.ReasonNoAssoc, problem.FactSite, "inner")
	p := problem.Wrap(fmt.Errorf("wrapped: %w", inner), problem.Forbidden, "outside").With(problem.FactSite, "outer")
	o := outcome(p, jane, "/x")
	o.Facts = map[string]string{problem.FactAskedOrg: "globex", problem.FactSite: "request"}
	r := o.Refusal()
	if r.Org != jane.Org || r.Actor.Name != "jane" || r.Message != "outside" || r.Status != 403 || r.Code != "forbidden" {
		t.Errorf("%+v", r)
	}
	if r.Facts[problem.FactReason] != problem.ReasonNoAssoc || r.Facts[problem.FactSite] != "outer" || r.Facts[problem.FactAskedOrg] != "globex" {
		t.Errorf("%v", r.Facts)
	}
	limited := outcome(problem.Wrap(ratelimit.Refusal{Name: ratelimit.Login, Kind: ratelimit.PerSource}, problem.TooManyRequests, "wait"), tenants.Principal{}, "/x").Refusal()
	if limited.Facts[problem.FactLimit] != "login" || limited.Facts[problem.FactBucket] != "source" || limited.Org != tenants.SystemOrgID || limited.Actor.Kind != "anonymous" {
		t.Errorf("%+v", limited)
	}
	from := outcome(problem.New(problem.Forbidden, ""), tenants.Principal{}, "/x")
	from.Peer = "e057"
	if r := from.Refusal(); r.Actor.Kind != refusal.ActorSite || r.Actor.ID != "e057" {
		t.Errorf("%+v", r)
	}
}

// What may repeat the request's own words is not kept, nor is a cause.
func TestRefusal_R12_KeepsNoInput(t *testing.T) {
	for _, code := range []problem.Code{problem.BadRequest, problem.InvalidRequest, problem.DuplicateName, problem.InvalidScope} {
		r := outcome(problem.Wrap(errors.New("cause s3cret"), code, `The parameter "s3cret" is given twice.`), jane, "/x").Refusal()
		if text := fmt.Sprintf("%+v", r); r.Message != "" || len(r.Facts) > 0 {
			t.Errorf("%s keeps %s", code, text)
		}
	}
}
