package tenants

import "causeway/internal/problem"

// Snapshot is an organization with the compiled rights of its roles. It never
// changes: a change in the journal replaces it, so that authorizing a request
// is two map look-ups without a lock.
type Snapshot struct {
	Organization
	roles map[RoleID]compiledRole
}

type compiledRole struct {
	name    string
	human   map[Right]struct{}
	machine map[Right]struct{}
}

// Compile builds the snapshot of o: each role's rights, less those that are
// unknown or not published to tenants, and for machines less those that no
// machine may have (VCD-30).
func Compile(o Organization, roles []Role) *Snapshot {
	s := &Snapshot{Organization: o, roles: make(map[RoleID]compiledRole, len(roles))}
	for _, r := range roles {
		c := compiledRole{name: r.Name, human: map[Right]struct{}{}, machine: map[Right]struct{}{}}
		for _, name := range r.Rights {
			info, known := LookUpRight(name)
			if !known || (info.Provider && !o.System()) {
				continue
			}
			c.human[name] = struct{}{}
			if info.ForMachines() {
				c.machine[name] = struct{}{}
			}
		}
		s.roles[r.ID] = c
	}
	return s
}

// Allows reports whether a principal of the given kind that holds role has the
// right in this organization. A role the organization does not know allows
// nothing.
func (s *Snapshot) Allows(role RoleID, kind PrincipalKind, right Right) bool {
	c, ok := s.roles[role]
	if !ok {
		return false
	}
	set := c.human
	if kind.Machine() {
		set = c.machine
	}
	_, ok = set[right]
	return ok
}

// RoleName is the name of one of the organization's roles.
func (s *Snapshot) RoleName(role RoleID) (string, bool) {
	c, ok := s.roles[role]
	return c.name, ok
}

// MachineRights lists what an account holding role could do, in catalog order:
// what an administrator should see before granting (VCD-80).
func (s *Snapshot) MachineRights(role RoleID) []Right {
	var rights []Right
	for _, info := range Catalog() {
		if _, ok := s.roles[role].machine[info.Name]; ok {
			rights = append(rights, info.Name)
		}
	}
	return rights
}

// MayGive answers nil when p, who holds a role in s, may hand out role in org: p
// holds every right that an account with that role would have. Nobody gives away
// what they lack.
func (s *Snapshot) MayGive(p Principal, org *Snapshot, role RoleID) error {
	for _, right := range org.MachineRights(role) {
		if !s.Allows(p.Role, p.Kind, right) {
			return problem.New(problem.Forbidden, "The role allows %q, which the caller's own role does not.", string(right))
		}
	}
	return nil
}
