package refusal

import (
	"fmt"

	"causeway/internal/problem"
)

// because finds the explanation of one refusal, also of one that stands for many.
func because(s Shown) (why, advice []string) {
	if s.Code != Suppressed {
		return decided(s)
	}
	s.Code = s.Facts[FactCode]
	why, advice = decided(s)
	return append(why, fmt.Sprintf("So many were refused in the organization that not each is kept: this one stands for %s, until %s.",
		s.Facts[FactCount], s.Facts[FactUntil])), advice
}

// decided finds the explanation by what decided, else by the answer's code, else
// in the words of the answer itself.
func decided(s Shown) (why, advice []string) {
	if s.Facts[problem.FactLimit] != "" {
		return limited(s)
	}
	for _, explain := range []func(Shown) (why, advice []string){byRealm, byInstance, byRights, byToken, byPlace, byLogin, byCode} {
		if why, advice := explain(s); len(why) > 0 {
			return why, advice
		}
	}
	return []string{fmt.Sprintf("The request was answered with %d; the answer said why.", s.Status)}, nil
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
	if s.Code == ByUpstream {
		return []string{fmt.Sprintf("The gateway let the request through, and the service %s refused it: it has rules of its own, as of who may see or change which object.", or(f[problem.FactInstanceName], "behind it"))},
			[]string{"Look in the service itself: at the access settings of the object that was asked for."}
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
