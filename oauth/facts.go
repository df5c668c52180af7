package oauth

import (
	"strconv"
	"time"

	"causeway/internal/problem"
	"causeway/tenants"
)

// The functions here add to a refusal what decided it, for the audit trail. The
// client is not told.

// aboutPresented explains why a refresh token of an account was refused in org.
// Another organization's accounts are the provider's business alone.
func aboutPresented(org *tenants.Snapshot, shown Presented, refusal error) error {
	p := problem.As(refusal)
	if p == nil || p.Code != problem.InvalidGrant || shown.Family.ID == "" {
		return refusal
	}
	switch {
	case shown.Org != org.ID:
		return p.With(problem.FactReason, problem.ReasonOtherOrg,
			problem.ForProvider+problem.FactOrganization, string(shown.Org), problem.ForProvider+problem.FactAccount, string(shown.Account))
	case !shown.RevokedAt.IsZero():
		p.With(problem.FactReason, problem.ReasonRevoked, problem.FactAt, factTime(shown.RevokedAt))
	case !org.Enabled:
		p.With(problem.FactReason, problem.ReasonDisabled)
	default:
		p.With(problem.FactReason, problem.ReasonOtherClient)
	}
	return p.With(aboutGenerations(shown)...)
}

// aboutReplay explains a token that was shown again.
func aboutReplay(shown Presented) []string {
	reason := problem.ReasonReplayed
	if shown.Shown == shown.Generation-1 {
		reason = problem.ReasonLate
	}
	return append(aboutGenerations(shown), problem.FactReason, reason, problem.FactAt, factTime(shown.UsedAt))
}

func aboutGenerations(shown Presented) []string {
	return []string{
		problem.FactAccount, string(shown.Account), problem.FactFamily, shown.Family.ID,
		problem.FactGeneration, strconv.Itoa(shown.Shown), problem.FactLiveGeneration, strconv.Itoa(shown.Generation),
	}
}

func aboutAPIToken(t APIToken, reason string) []string {
	at := time.Time{}
	if reason == problem.ReasonExpired {
		at = t.ExpiresAt
	}
	return []string{problem.FactAccount, string(t.ID), problem.FactReason, reason, problem.FactAt, factTime(at)}
}

// judged is judge with what it judged.
func judged(d DeviceRequest, now time.Time) error {
	p := problem.As(judge(d, now))
	if p == nil {
		return nil
	}
	return p.With(problem.FactAccount, string(d.Account), problem.FactDevice, d.ID, problem.FactDeviceState, string(d.State))
}

func factTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
