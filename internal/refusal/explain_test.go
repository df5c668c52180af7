package refusal_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"causeway/internal/problem"
	"causeway/internal/refusal"
	"causeway/tenants"
)

var update = flag.Bool("update", false, "write the golden texts")

var (
	acme  = refusal.Ref{Name: "acme", ID: "urn:vcloud:org:6f6f0000-0000-4000-8000-000000000001"}
	robot = refusal.ShownActor{Kind: "serviceAccount", ID: "0b0f", Name: "inventory-bot", Organization: &acme}
)

func shown(code problem.Code, actor refusal.ShownActor, facts ...string) refusal.Shown {
	s := refusal.Shown{
		RequestID: "12-2026-0b0f7f0e-5f2c-4d4b-9c7e-0d3a5a4d5c11", Time: "2026-11-22T01:00:00.000Z", Organization: acme, Actor: actor,
		Address: "192.0.2.7", Method: "GET", Route: "/cloudapi/1.0.0/serviceAccounts/:id", Status: code.Row().Status, Code: string(code),
		Facts: problem.New(code, "").With(facts...).Facts,
	}
	return s
}

// A person reads who asked, what for, what decided and what to do.
func TestExplain_GoldenTexts(t *testing.T) {
	anonymous := refusal.ShownActor{Kind: "anonymous"}
	byPeer := shown(problem.Forbidden, robot, problem.FactSite, "e057", problem.FactOrganization, "acme-labs", problem.FactPeerRequest, "77aa-bb")
	byPeer.Code = refusal.ByPeer
	byPeer.Route = "instance"
	elsewhere := shown(problem.Forbidden, robot, problem.FactReason, problem.ReasonNoAssoc, problem.FactAskedOrg, "globex")
	many := shown(problem.Forbidden, robot, problem.FactReason, problem.ReasonNoAssoc, refusal.FactCode, "forbidden", refusal.FactCount, "212", refusal.FactUntil, "2026-11-22T01:01:00Z")
	many.Code = refusal.Suppressed
	introspect := shown(problem.NotFound, robot)
	introspect.Route = "/oauth/provider/introspect"
	unknown := shown(problem.InvalidGrant, anonymous, problem.FactReason, problem.ReasonUnknown)
	unknown.Message = "Invalid refresh token"
	role := []string{problem.FactRole, "App", problem.FactRoleOrg, "acme"}
	token := []string{problem.FactAccount, "0b0f", problem.FactFamily, "fa", problem.FactGeneration, "3", problem.FactLiveGeneration, "5", problem.FactAt, "2026-11-21T22:00:00Z"}
	device := []string{problem.FactAccount, "0b0f", problem.FactDevice, "de71ce"}
	for name, e := range map[string]refusal.Explanation{
		"right":       refusal.Explain(shown(problem.Forbidden, robot, append(role, problem.FactReason, problem.ReasonRole, problem.FactRights, "Service Accounts: Manage | Role: Create, Edit, Delete, or Copy")...)),
		"machine":     refusal.Explain(shown(problem.Forbidden, robot, append(role, problem.FactReason, problem.ReasonMachine, problem.FactRights, "Service Accounts: Manage")...)),
		"unpublished": refusal.Explain(shown(problem.Forbidden, robot, append(role, problem.FactReason, problem.ReasonUnpublished, problem.FactRights, "Catalog: View Private and Shared Catalogs | Rights Bundle: View")...)),
		"provider":    refusal.Explain(shown(problem.Forbidden, robot, append(role, problem.FactReason, problem.ReasonUnpublished, problem.FactRights, "Rights Bundle: View")...)),
		"unknown":     refusal.Explain(unknown),
		"introspect":  refusal.Explain(introspect),
		"conflict":    refusal.Explain(shown(problem.Conflict, robot)),
		"limit":       refusal.Explain(shown(problem.TooManyRequests, anonymous, problem.FactLimit, "device_authorization", problem.FactBucket, "source")),
		"replay":      refusal.Explain(shown(problem.Replayed, anonymous, append(token, problem.FactReason, problem.ReasonReplayed)...)),
		"late":        refusal.Explain(shown(problem.Replayed, anonymous, append(token, problem.FactReason, problem.ReasonLate)...)),
		"revoked":     refusal.Explain(shown(problem.InvalidGrant, anonymous, append(token, problem.FactReason, problem.ReasonRevoked)...)),
		"realm":       refusal.Explain(shown(problem.InvalidGrant, anonymous, problem.FactReason, problem.ReasonOtherOrg, "provider.organization", "6f6f", "provider.account", "0b0f")),
		"denied":      refusal.Explain(shown(problem.AccessDenied, anonymous, device...)),
		"expired":     refusal.Explain(shown(problem.ExpiredToken, anonymous, device...)),
		"password":    refusal.Explain(shown(problem.Unauthenticated, anonymous, problem.FactReason, problem.ReasonPassword)),
		"session":     refusal.Explain(shown(problem.Unauthenticated, anonymous)),
		"hidden":      refusal.Explain(shown(problem.NotFound, robot)),
		"elsewhere":   refusal.Explain(elsewhere),
		"peer":        refusal.Explain(byPeer),
		"suppressed":  refusal.Explain(many),
		"malformed":   refusal.Explain(shown(problem.BadRequest, robot)),
		"nothing":     refusal.ExplainNothing("77aa-bb", "https://west.example.com", "System"),
	} {
		t.Run(name, func(t *testing.T) {
			text, file := strings.Join(e.Lines(), "\n")+"\n", filepath.Join("testdata", "explain-"+name+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if text != string(want) {
				t.Errorf("it says\n%s\nwant\n%s", text, want)
			}
		})
	}
}

// Every code is explained in words of its own, also where the answer's are not kept,
// and only what could not be understood is called so.
func TestExplain_EveryCode(t *testing.T) {
	said := map[string]problem.Code{}
	for _, code := range problem.Codes() {
		e := refusal.Explain(shown(code, robot))
		if strings.Contains(e.Why[0], "the answer said why") {
			t.Errorf("%s has no words of its own", code)
		}
		if malformed := code == problem.InvalidRequest || code == problem.BadRequest; malformed != strings.Contains(e.Why[0], "could not be understood") {
			t.Errorf("%s: %s", code, e.Why[0])
		} else if other := said[e.Why[0]]; other != "" && !malformed {
			t.Errorf("%s and %s are both %q", code, other, e.Why[0])
		}
		said[e.Why[0]] = code
	}
}

// No advice names a right that the API refuses to publish.
func TestExplain_AdvisesNoProviderRights(t *testing.T) {
	for _, right := range tenants.Catalog() {
		e := refusal.Explain(shown(problem.Forbidden, robot, problem.FactReason, problem.ReasonUnpublished, problem.FactRights, string(right.Name)))
		if advised := len(e.Advice) > 0; advised == right.Provider {
			t.Errorf("%s: %q", right.Name, e.Advice)
		}
	}
}

// Whatever is kept, somebody can be told something.
func FuzzExplain(f *testing.F) {
	f.Add("forbidden", "role", "", "App", "System", "user")
	f.Add(refusal.ByPeer, "", "x", "", "", refusal.ActorSite)
	f.Fuzz(func(t *testing.T, code, reason, limit, role, rights, kind string) {
		s := shown(problem.Code(code), refusal.ShownActor{Kind: kind, Name: role},
			problem.FactReason, reason, problem.FactLimit, limit, problem.FactRole, role, problem.FactRights, rights)
		e := refusal.Explain(s)
		if len(e.Why) == 0 || e.Why[0] == "" || e.Who == "" || e.What == "" {
			t.Errorf("%+v explains nothing of %+v", e, s)
		}
	})
}
