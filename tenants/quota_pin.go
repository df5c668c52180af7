package tenants

import (
	"time"

	"causeway/internal/problem"
)

// QuotaSource reads quota policies; Reader is one.
type QuotaSource interface {
	QuotaPolicy(org OrgID, id QuotaPolicyID) (QuotaPolicy, error)
}

// PinQuota is what a policy says now, as a session keeps it (VCD-89) and
// [ParseQuota] reads it; empty where there is no policy. A policy that is gone
// was taken from its holder since the holder was read: what the holder has
// instead only reading again can tell.
func PinQuota(r QuotaSource, org OrgID, id QuotaPolicyID) (string, error) {
	if id == "" {
		return "", nil
	}
	p, err := r.QuotaPolicy(org, id)
	if problem.Has(err, problem.NotFound) {
		return "", problem.New(problem.Unavailable, "The quota policy is being changed; try again.").After(time.Second)
	}
	if err != nil {
		return "", err
	}
	return MarshalDefinitions(p.Definitions)
}

// currentQuota is what a policy says now.
func currentQuota(r QuotaSource, org OrgID, id QuotaPolicyID) (*Quota, error) {
	pinned, err := PinQuota(r, org, id)
	if err != nil {
		return nil, err
	}
	return ParseQuota(pinned)
}
