package oauth

import (
	"net/url"
	"strings"
	"unicode"

	"causeway/internal/problem"
	"causeway/tenants"
)

const roleURNPrefix = "urn:vcloud:role:"

// ParseRoleScope reads the role's name out of the scope of a registration:
// urn:vcloud:role:<percent-encoded role name> (RFC 8141 encoding, VCD-21…23).
// Exactly one role must be named (VCD-20).
func ParseRoleScope(scope string) (name string, err error) {
	encoded, ok := strings.CutPrefix(scope, roleURNPrefix)
	if !ok || encoded == "" {
		return "", problem.New(problem.InvalidScope, "scope must be %s followed by the percent-encoded name of one role.", roleURNPrefix)
	}
	if strings.ContainsFunc(encoded, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return "", problem.New(problem.InvalidScope, "scope must name exactly one role; a space in its name is written %%20.")
	}
	name, err = url.PathUnescape(encoded)
	if err != nil || !tenants.ValidName(name) {
		return "", problem.New(problem.InvalidScope, "The role name in scope is not a valid percent-encoded name.")
	}
	return name, nil
}

// RoleScope writes the scope that names a role.
func RoleScope(name string) string { return roleURNPrefix + url.PathEscape(name) }
