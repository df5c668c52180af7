package refusal

import (
	"slices"
	"strings"

	"causeway/internal/problem"
)

// byRealm explains a path of the OAuth endpoints that is nobody's, or not the
// caller's.
func byRealm(s Shown) (why, advice []string) {
	if !strings.HasPrefix(s.Route, "/oauth/") {
		return nil, nil
	}
	if s.Code == string(problem.NotFound) {
		return []string{"The organization in the path is not that of whoever asked, or does not exist: both get the same answer."},
			[]string{"Use the path of the own organization: /oauth/tenant/{organization}/…, or /oauth/provider/… for the provider's."}
	}
	switch s.Facts[problem.FactReason] {
	case problem.ReasonNoSuchRealm:
		return []string{"There is no organization of the name in the path."}, []string{"Check the path: /oauth/tenant/{organization}/…, or /oauth/provider/… for the provider's."}
	case problem.ReasonDisabled:
		return []string{"The organization is disabled."}, []string{"The provider can enable it."}
	}
	return nil, nil
}

// told is what to say of a code when nothing more is known.
type told struct {
	why    string
	own    bool // the answer's own words say it better, where they are kept
	advice []string
}

var (
	said    = " The answer said what was wrong with it."
	unclear = told{why: "The request could not be understood." + said}
	later   = []string{"Try again later; the provider finds the request's id in the log."}
)

// byCodes has a row for every code of package problem. What a client reads in
// the answer need not be kept: of some codes the text may repeat what was sent.
var byCodes = map[problem.Code]told{
	problem.InvalidRequest: unclear,
	problem.BadRequest:     unclear,
	problem.InvalidClient: {
		why:    "No service account of the organization has this client_id.",
		advice: []string{"Check the client_id, and that the path names the account's own organization."},
	},
	problem.InvalidGrant: {why: "The code or token was not valid.", own: true},
	problem.Replayed:     {why: "The refresh token had been used before, so all tokens of its account were revoked.", own: true},
	problem.UnauthorizedClient: {
		why:    "The client may not use this grant: its grant types do not name it.",
		advice: []string{"Whoever owns the app can add the grant type to it."},
	},
	problem.UnsupportedGrantType: {
		why:    "The token endpoint does not have the grant_type that the request named, if it named one.",
		advice: []string{"/.well-known/oauth-authorization-server lists those that it has."},
	},
	problem.InvalidScope: {
		why:    "The scope of the request names no role that the account could get." + said,
		advice: []string{"Send urn:vcloud:role: and the percent-encoded name of one role of the organization."},
	},
	problem.AuthorizationPending: {why: "Nobody had granted or denied the device request yet."},
	problem.SlowDown:             {why: "The device code was polled before the interval was over."},
	problem.AccessDenied:         {why: "An administrator denied the request.", own: true},
	problem.ExpiredToken:         {why: "The device code had expired.", own: true},

	problem.Unauthenticated: {why: "Whoever asked did not prove who they are."},
	problem.Forbidden:       {why: "Whoever asked may not do this.", own: true},
	problem.NotFound: {
		why:    "There is no such object in the organization, or the caller may not see it: both get the same answer.",
		advice: []string{"Check the identifier, and in whose organization the request was made."},
	},
	problem.UnknownPath:     {why: "The gateway has no such path."},
	problem.UnknownUserCode: {why: "No open device request of the organization has the user code.", advice: []string{"Codes expire, and are good once: the app shows the one that counts."}},

	problem.MethodNotAllowed: {why: "The path does not have this method."},
	problem.NotAcceptable:    {why: "The request accepts only versions of the API that the site does not speak.", advice: []string{"/api/versions lists those that it does."}},
	problem.TooLarge:         {why: "The request was larger than the endpoint takes." + said},
	problem.DuplicateName:    {why: "Something else has the name already." + said},
	problem.Conflict:         {why: "The request was understood, and the state of things did not allow it." + said},
	problem.AmbiguousAuthContext: {
		why: "Several organizations have the name in the context header.", own: true,
		advice: []string{"Name the organization as <organization id>@<site id> in the context header."},
	},
	problem.InvalidMultisiteArgs: {
		why: "What the request says of several locations cannot be understood.", own: true,
		advice: []string{"Say multisite=local, multisite=global or a list of <organization id>@<site id> in Accept, the same in each media type; take assocOffsets from the link nextPage as it is."},
	},
	problem.InvalidMultisiteScope: {
		why: "The request cannot be answered for the locations that it names.", own: true,
		advice: []string{"Only lists are read at several locations, by GET, and only at those that the session's accessibleLocations show."},
	},

	problem.SiteUnreachable: {why: "The site that fulfils the request could not be reached.", own: true, advice: later},
	problem.GatewayTimeout:  {why: "The site or service that fulfils the request did not answer in time.", own: true, advice: later},
	problem.Misdirected:     {why: "Another site sent the request here, and its organization is not at this site.", advice: []string{"The other site finds out by itself where it is."}},
	problem.LoopDetected:    {why: "The request had passed through this site before.", advice: []string{"The sites disagree where the organization is: the provider compares their associations."}},

	problem.TooManyRequests: {why: "There were too many requests.", own: true, advice: []string{"Wait as long as Retry-After said."}},
	problem.Unavailable:     {why: "The site was not ready for the request.", own: true, advice: later},
	problem.Internal:        {why: "The server met an unexpected condition.", advice: []string{"The provider finds the request's id in the log."}},
}

func byCode(s Shown) (why, advice []string) {
	row, ok := byCodes[problem.Code(s.Code)]
	switch {
	case ok && row.own && s.Message != "":
		return []string{sentence(s.Message)}, row.advice
	case ok:
		return []string{row.why}, row.advice
	case s.Message != "":
		return []string{sentence(s.Message)}, nil
	}
	return nil, nil
}

// sentence ends what may have been an answer of a few words.
func sentence(s string) string {
	if strings.HasSuffix(s, ".") || strings.HasSuffix(s, "!") || strings.HasSuffix(s, "?") {
		return s
	}
	return s + "."
}

// Codes are what a refusal can have as its code, sorted.
func Codes() []string {
	list := []string{ByPeer, ByUpstream, Suppressed}
	for _, c := range problem.Codes() {
		list = append(list, string(c))
	}
	slices.Sort(list)
	return list
}
