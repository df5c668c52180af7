package refusal

import (
	"fmt"
	"slices"
	"strings"

	"causeway/internal/problem"
	"causeway/tenants"
)

func byRights(s Shown) (why, advice []string) {
	rights := strings.Split(s.Facts[problem.FactRights], " | ")
	needed, role := quoted(rights), fmt.Sprintf("the role %q", s.Facts[problem.FactRole])
	if org := s.Facts[problem.FactRoleOrg]; org != "" {
		role += " of " + org
	}
	switch s.Facts[problem.FactReason] {
	case problem.ReasonRole:
		return []string{fmt.Sprintf("The request needs %s, and %s lacks it.", needed, role)},
			[]string{
				"Use an account whose role has it, or have it added to the role by somebody who has it " +
					"(POST /cloudapi/1.0.0/roles/{id}/rights). A role that the provider published only the provider can change (globalRoles).",
			}
	case problem.ReasonUnpublished:
		return unpublished(rights)
	case problem.ReasonMachine:
		return []string{fmt.Sprintf("The request needs %s. %s has it, but no service account and no API token may ever use it.", needed, upper(role))},
			[]string{"A person who logs in with a password can do this."}
	case problem.ReasonGives:
		return []string{fmt.Sprintf("The change would give somebody %s, which the role of whoever asked does not have.", needed)},
			[]string{"Let somebody do it who has these rights, or give away fewer."}
	}
	return nil, nil
}

// unpublished advises to publish only what can be published: the rights of the
// provider's people can be given to no tenant.
func unpublished(rights []string) (why, advice []string) {
	needed := quoted(rights)
	tenantsOwn := slices.DeleteFunc(slices.Clone(rights), func(name string) bool {
		right, ok := tenants.LookUpRight(tenants.Right(name))
		return !ok || right.Provider
	})
	if len(tenantsOwn) == 0 {
		return []string{fmt.Sprintf("The request needs %s, which only the provider's people can have.", needed)}, nil
	}
	return []string{fmt.Sprintf("The request needs %s, which is not published to the organization: no role there can have it.", needed)},
		[]string{fmt.Sprintf("The provider can publish a rights bundle that holds %s to the organization (/cloudapi/1.0.0/rightsBundles).", quoted(tenantsOwn))}
}

func quoted(rights []string) string {
	list := make([]string, len(rights))
	for i, r := range rights {
		list[i] = fmt.Sprintf("%q", r)
	}
	return "the right " + strings.Join(list, " or ")
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
