package tenants

import (
	"strings"

	"causeway/internal/problem"
)

// lacking says, for the audit trail, which rights p lacked in its organization
// and what would have to change: the role, what is published, or who asks.
func lacking(org *Snapshot, p Principal, rights []Right) []string {
	reason := problem.ReasonUnpublished
	for _, right := range rights { // any one of which would do
		switch {
		case org.Allows(p.Role, KindUser, right):
			reason = problem.ReasonMachine
		case reason == problem.ReasonUnpublished && org.Available().Has(right):
			reason = problem.ReasonRole
		}
	}
	role, _ := org.RoleName(p.Role)
	return []string{
		problem.FactReason, reason, problem.FactRights, joined(rights), problem.FactRole, role, problem.FactRoleOrg, org.Name,
	}
}

// joined lists rights as a fact. Their names hold commas.
func joined(rights []Right) string { return strings.Join(texts(rights), " | ") }

func texts(rights []Right) []string {
	list := make([]string, len(rights))
	for i, r := range rights {
		list[i] = string(r)
	}
	return list
}
