package refusal

import (
	"fmt"

	"causeway/internal/problem"
	"causeway/tenants"
)

// Explanation says to a person why a request was refused. Sentences are whole
// and in order; Advice is what somebody could do about it.
type Explanation struct {
	RequestID string   `json:"requestId"`
	Known     bool     `json:"known"`
	Who       string   `json:"who,omitempty"`
	What      string   `json:"what,omitempty"`
	When      string   `json:"when,omitempty"`
	Answer    string   `json:"answer,omitempty"`
	Why       []string `json:"why"`
	Advice    []string `json:"advice"`
	Refusal   *Shown   `json:"refusal,omitempty"`
}

// Explain explains s.
func Explain(s Shown) Explanation {
	why, advice := because(s)
	if advice == nil {
		advice = []string{}
	}
	return Explanation{
		RequestID: s.RequestID, Known: true, Who: who(s), What: what(s), When: s.Time,
		Answer: fmt.Sprintf("%d (%s)", s.Status, answered(or(s.Facts[FactCode], s.Code))), Why: why, Advice: advice, Refusal: &s,
	}
}

// answered is the code that the client was told: what is not there looks like
// what is forbidden (R6).
func answered(code string) string {
	if code == string(problem.NotFound) {
		return string(problem.Forbidden)
	}
	return code
}

// ExplainNothing is for a request of which the site keeps nothing.
func ExplainNothing(requestID, site, org string) Explanation {
	return Explanation{
		RequestID: requestID,
		Why: []string{
			fmt.Sprintf("The site %s keeps no refusal of this request in %s.", site, org),
			"Either it was not refused, or its refusal is not kept: too old, one of many alike in a flood, an unknown path, " +
				"or an app that was told to wait for the administrator (authorization_pending).",
		},
		Advice: []string{
			"Compare the identifier with the header X-VMWARE-VCLOUD-REQUEST-ID of the answer.",
			"A request that another site answered has an identifier of that site, too (X-Causeway-Peer-Request-Id): ask there.",
			"The refusals of another organization are shown to its administrators and to the provider.",
		},
	}
}

// Lines are the explanation as text.
func (e Explanation) Lines() []string {
	lines := []string{fmt.Sprintf("Nothing is known of a refused request %s.", e.RequestID)}
	if e.Known {
		lines = []string{
			fmt.Sprintf("Request %s was refused with %s.", e.RequestID, e.Answer), "",
			"  Who:  " + e.Who, "  What: " + e.What, "  When: " + e.When,
		}
	}
	lines = append(lines, "", "Why")
	for _, s := range e.Why {
		lines = append(lines, "  - "+s)
	}
	if len(e.Advice) > 0 {
		lines = append(lines, "", "What to do")
	}
	for _, s := range e.Advice {
		lines = append(lines, "  - "+s)
	}
	return lines
}

func who(s Shown) string {
	name := map[string]string{
		string(tenants.KindUser): "the user", string(tenants.KindServiceAccount): "the service account",
		string(tenants.KindAPIToken): "by means of an API token, the user",
	}[s.Actor.Kind]
	from := ""
	if s.Address != "" {
		from = ", from " + s.Address
	}
	switch {
	case s.Actor.Kind == ActorSite:
		return "somebody of the associated site " + s.Actor.ID + from
	case name == "":
		return "somebody who had not proved who they are" + from
	case s.Actor.Organization != nil && s.Actor.Organization.Name != "":
		from = " of " + s.Actor.Organization.Name + from
	}
	return fmt.Sprintf("%s %q%s", name, s.Actor.Name, from)
}

func what(s Shown) string {
	route := s.Route
	if route == "instance" {
		route = "a service behind the gateway"
	}
	text := s.Method + " " + route + ", in the organization " + orID(s.Organization)
	if asked := or(s.Facts[problem.FactAskedOrg], s.Facts[problem.FactAskedTenant]); asked != "" {
		text += fmt.Sprintf("; the context header asked for %q", asked)
	}
	return text
}

func orID(r Ref) string { return or(r.Name, r.ID) }

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
