package refusal

import (
	"fmt"
	"strings"

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
	return Explanation{
		RequestID: s.RequestID, Known: true, Who: who(s), What: what(s), When: s.Time,
		Answer: fmt.Sprintf("%d (%s)", s.Status, s.Code), Why: why, Advice: advice, Refusal: &s,
	}
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

// because finds the explanation by what decided, else by the answer's code, else
// in the words of the answer itself.
func because(s Shown) (why, advice []string) {
	if s.Facts[problem.FactLimit] != "" {
		return limited(s)
	}
	for _, explain := range []func(Shown) (why, advice []string){byRights, byToken, byPlace, byLogin, byCode} {
		if why, advice := explain(s); len(why) > 0 {
			return why, advice
		}
	}
	if s.Message != "" {
		return []string{s.Message}, nil
	}
	return []string{"The request could not be understood; the answer said what was wrong with it."}, nil
}

func limited(s Shown) (why, advice []string) {
	whose := map[string]string{
		"source": "of the address", "network": "of the network around the address", "client": "of the client id",
		"client_at_source": "of the client id at this address", "account": "of the account", "account_at_source": "of the account at this address",
		"org": "of the organization", "site": "of the whole site",
	}[s.Facts[problem.FactBucket]]
	return []string{fmt.Sprintf("The limit %s was used up, in the bucket %s.", s.Facts[problem.FactLimit], or(whose, s.Facts[problem.FactBucket]))},
		[]string{
			"Wait as long as Retry-After said, and call less often or remember what was fetched.",
			"The provider sets the limits (limits: in the configuration); ratelimit/README.md says what each is for.",
		}
}

func byRights(s Shown) (why, advice []string) {
	rights := strings.Split(s.Facts[problem.FactRights], " | ")
	needed, role := quoted(rights), fmt.Sprintf("the role %q", s.Facts[problem.FactRole])
	if org := s.Facts[problem.FactRoleOrg]; org != "" {
		role += " of " + org
	}
	switch s.Facts[problem.FactReason] {
	case problem.ReasonRole:
		return []string{fmt.Sprintf("The request needs %s, and %s lacks it.", needed, role)},
			[]string{"Add the right to the role (POST /cloudapi/1.0.0/roles/{id}/rights), or use an account whose role has it."}
	case problem.ReasonUnpublished:
		return []string{fmt.Sprintf("The request needs %s, which is not published to the organization: no role there can have it.", needed)},
			[]string{"The provider can publish a rights bundle that holds it to the organization (/cloudapi/1.0.0/rightsBundles)."}
	case problem.ReasonMachine:
		return []string{fmt.Sprintf("The request needs %s. %s has it, but no service account and no API token may ever use it.", needed, upper(role))},
			[]string{"A person who logs in with a password can do this."}
	case problem.ReasonGives:
		return []string{fmt.Sprintf("The change would give somebody %s, which the role of whoever asked does not have.", needed)},
			[]string{"Let somebody do it who has these rights, or give away fewer."}
	}
	return nil, nil
}

func quoted(rights []string) string {
	list := make([]string, len(rights))
	for i, r := range rights {
		list[i] = fmt.Sprintf("%q", r)
	}
	return "the right " + strings.Join(list, " or ")
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func byToken(s Shown) (why, advice []string) {
	f := s.Facts
	token := "The refresh token"
	if f[problem.FactGeneration] != "" {
		token += fmt.Sprintf(" of the account %s, generation %s", f[problem.FactAccount], f[problem.FactGeneration])
	}
	again := []string{"An administrator has to revoke the account, if it is active, and grant a new device request of the app."}
	switch reason := f[problem.FactReason]; {
	case reason == problem.ReasonReplayed:
		return []string{
				fmt.Sprintf("%s was shown again after its successor had been used; generation %s was the live one.", token, f[problem.FactLiveGeneration]),
				fmt.Sprintf("It was first used at %s. Two parties hold copies of this token, so the family was revoked.", f[problem.FactAt]),
			}, []string{
				"Find out who else has the token: a copied file, a restored backup, or two processes with one file.",
				again[0],
			}
	case reason == problem.ReasonLate:
		return []string{fmt.Sprintf("%s had been used at %s and was shown again too late, too often or from elsewhere, so the family was revoked.", token, f[problem.FactAt])},
			[]string{"The app must keep the token that it gets with every refresh, before it does anything else.", again[0]}
	case reason == problem.ReasonRevoked:
		return []string{fmt.Sprintf("%s was revoked at %s.", token, f[problem.FactAt])}, again
	case reason == problem.ReasonExpired && f[problem.FactAccount] != "":
		return []string{fmt.Sprintf("The token of %s expired at %s.", f[problem.FactAccount], f[problem.FactAt])}, []string{"A new token has to be made, or granted by an administrator."}
	case reason == problem.ReasonOtherOrg && s.Code == string(problem.InvalidGrant):
		return otherRealm(s)
	case reason == problem.ReasonOtherClient:
		return []string{token + " was issued to another client than the client_id in the request."}, []string{"Leave client_id out, or send the right one."}
	case f[problem.FactDevice] != "":
		return byDevice(s)
	case reason == problem.ReasonAssertion:
		return []string{"The assertion was no live access token of a person of this organization."}, []string{"Log in with a password, and fetch the token with that session."}
	case reason == problem.ReasonUsed:
		return []string{"The API token had been fetched before; it is shown once."}, []string{"Delete it and make a new one."}
	}
	return nil, nil
}

func otherRealm(s Shown) (why, advice []string) {
	why = []string{"The refresh token was issued for another organization. It stays valid there."}
	if org := s.Facts[problem.ForProvider+problem.FactOrganization]; org != "" {
		why = append(why, fmt.Sprintf("It belongs to %s, to the account %s.", org, s.Facts[problem.ForProvider+problem.FactAccount]))
	}
	return why, []string{"Send it to the token endpoint of its own organization: /oauth/tenant/{organization}/token, or /oauth/provider/token for the provider's."}
}

func byDevice(s Shown) (why, advice []string) {
	request := fmt.Sprintf("The device request %s of the account %s", s.Facts[problem.FactDevice], s.Facts[problem.FactAccount])
	afresh := []string{"The app has to start a new device request."}
	switch problem.Code(s.Code) {
	case problem.AccessDenied:
		return []string{request + " was denied by an administrator; the audit trail says by whom."}, afresh
	case problem.ExpiredToken:
		return []string{request + " expired before its tokens were fetched."}, afresh
	case problem.SlowDown:
		return []string{request + " was polled before the interval was over, which is now five seconds longer."}, []string{"Poll no faster than the answers say."}
	}
	return []string{request + " was over: its code had been used, or withdrawn by a newer request or a revocation."}, afresh
}

func byPlace(s Shown) (why, advice []string) {
	f := s.Facts
	site := or(f[problem.FactSite], "the other site")
	switch f[problem.FactReason] {
	case problem.ReasonNoAssoc:
		return []string{"The organization that was asked for is not available to the caller's: it does not exist, or is not associated with it."},
			[]string{"Check its name, and the associations (/api/admin/org/{id}/associations) on both sides."}
	case problem.ReasonIncomplete:
		return []string{"The association with this organization is incomplete: the other side has not confirmed it."}, []string{"The administrator of the other organization has to add the association, too."}
	case problem.ReasonUnreachable:
		return []string{fmt.Sprintf("The site %s, which fulfils requests of %s, could not be reached.", site, f[problem.FactOrganization])}, []string{"Try again later; the provider sees in the metrics since when."}
	case problem.ReasonNoCounter:
		return []string{"The organization at this site has no account (or enabled user) of the same name and software ID as the caller at home."},
			[]string{"Create a service account there with the same name and the same software ID, and connect it once."}
	case problem.ReasonNoPeople:
		return []string{"The association does not let people of the other organization act here; service accounts may."}, nil
	case problem.ReasonStaysAtHome:
		return []string{"An API token acts at its own site only."}, []string{"Use a service account, which can act at associated sites."}
	case problem.ReasonNoRouteRight:
		return []string{"The service behind the gateway has no rule that allows this call to anybody."}, []string{"The provider can add a route with a right to the service (services: in the configuration)."}
	}
	if s.Code == ByPeer {
		return []string{fmt.Sprintf("The request was handed to the site %s, which fulfils requests of %s, and was refused there.", site, f[problem.FactOrganization])},
			[]string{fmt.Sprintf("Ask there: causeway explain %s", or(f[problem.FactPeerRequest], "<the id in X-Causeway-Peer-Request-Id>"))}
	}
	return nil, nil
}

func byLogin(s Shown) (why, advice []string) {
	if s.Code != string(problem.Unauthenticated) {
		return nil, nil
	}
	switch s.Facts[problem.FactReason] {
	case problem.ReasonNoSuchRealm:
		return []string{"There is no organization of the name that the login gave."}, []string{"User names are written user@organization."}
	case problem.ReasonUnknown:
		return []string{"The organization has no user of the name that the login gave."}, nil
	case problem.ReasonLocked:
		return []string{"The user is locked for this address, after too many wrong passwords from there."}, []string{"Wait, or have an administrator unlock the user."}
	case problem.ReasonPassword:
		return []string{"The password was wrong."}, nil
	case problem.ReasonWrongDoor:
		return []string{"The login went to the address of the other kind: tenants log in at /cloudapi/1.0.0/sessions, the provider at /cloudapi/1.0.0/sessions/provider."}, nil
	case problem.ReasonDisabled:
		return []string{"The user or the organization is disabled."}, []string{"An administrator can enable it."}
	}
	return []string{"The access token was missing, expired, ended by a logout or a revocation, or never given out by this site."},
		[]string{"Log in again, or get a new access token by the refresh token."}
}

func byCode(s Shown) (why, advice []string) {
	switch problem.Code(s.Code) {
	case problem.NotFound:
		return []string{"There is no such object in the organization, or the caller may not see it: both get the same answer."},
			[]string{"Check the identifier, and in whose organization the request was made."}
	case problem.InvalidClient:
		return []string{"No service account of the organization has this client_id."}, []string{"Check the client_id, and that the path names the account's own organization."}
	case problem.InvalidGrant:
		return []string{or(s.Message, "The grant was not valid.") + " Nobody was ever given it in this organization, or the organization is disabled."}, nil
	case problem.AmbiguousAuthContext:
		return []string{s.Message}, []string{"Name the organization as <organization id>@<site id> in the context header."}
	case problem.Internal:
		return []string{"The server met an unexpected condition."}, []string{"The provider finds the request's id in the log."}
	}
	return nil, nil
}
