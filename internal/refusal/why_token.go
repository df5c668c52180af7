package refusal

import (
	"fmt"

	"causeway/internal/problem"
)

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
	case reason == problem.ReasonUnknown && s.Code == string(problem.InvalidGrant):
		return unknown(s)
	case reason == problem.ReasonUsed:
		return []string{"The API token had been fetched before; it is shown once."}, []string{"Delete it and make a new one."}
	}
	return nil, nil
}

// unknown is a code or token that is in no table.
func unknown(s Shown) (why, advice []string) {
	return []string{
			sentence(or(s.Message, "The code or token was not valid")),
			"It was never given out in this organization, or so long ago that nothing is kept of it.",
		}, []string{
			"Check that the path names the organization that it was given out in, and that the app sends it whole.",
		}
}

func otherRealm(s Shown) (why, advice []string) {
	why = []string{"The refresh token was issued for another organization. It stays valid there."}
	if org := s.Facts[problem.ForProvider+problem.FactOrganization]; org != "" {
		why = append(why, fmt.Sprintf("It belongs to the organization with the id %s, to the account with the client id %s.", org, s.Facts[problem.ForProvider+problem.FactAccount]))
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
