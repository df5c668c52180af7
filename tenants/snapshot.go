package tenants

// Snapshot is an organization with the compiled rights of its roles. It never
// changes: a change in the journal replaces it, so that authorizing a request
// is a look-up and a bit without a lock.
type Snapshot struct {
	Organization
	// OwnQuota is for the sum of the organization's principals; nil is none.
	OwnQuota  *Quota
	published RightSet // what any role here can allow at most
	roles     map[RoleID]compiledRole
}

type compiledRole struct {
	name   string
	rights RightSet
}

// Compile builds the snapshot of o from its roles and the rights that bundles
// publish to it. The provider's own organization has every right.
func Compile(o Organization, roles []Role, published []Right) *Snapshot {
	s := &Snapshot{Organization: o, published: most(o.ID), roles: make(map[RoleID]compiledRole, len(roles))}
	if !o.System() {
		s.published = s.published.Intersect(SetOf(published...))
	}
	for _, r := range roles {
		s.roles[r.ID] = compiledRole{r.Name, s.Effective(r.Rights)}
	}
	return s
}

// Effective is what a role with these rights allows a person here: those that
// are published to the organization. A right does not bring along what it
// implies: a role allows what it lists, and clients add the implied ones.
func (s *Snapshot) Effective(rights []Right) RightSet {
	return SetOf(rights...).Intersect(s.published)
}

// Available are the rights that roles of this organization can have.
func (s *Snapshot) Available() RightSet { return s.published }

// RightsOf is what a principal of the given kind can do here by holding role. A
// role the organization does not know allows nothing.
func (s *Snapshot) RightsOf(role RoleID, kind PrincipalKind) RightSet {
	rights := s.roles[role].rights
	if kind.Machine() {
		return rights.Intersect(MachineRights())
	}
	return rights
}

// Allows reports whether a principal of the given kind that holds role has the
// right in this organization.
func (s *Snapshot) Allows(role RoleID, kind PrincipalKind, right Right) bool {
	return s.roles[role].rights.Has(right) && (!kind.Machine() || MachineRights().Has(right))
}

// RoleName is the name of a role that can be held here.
func (s *Snapshot) RoleName(role RoleID) (string, bool) {
	c, ok := s.roles[role]
	return c.name, ok
}

// MachineRights lists what an account holding role could do, in catalog order:
// what an administrator should see before granting (VCD-80).
func (s *Snapshot) MachineRights(role RoleID) []Right {
	return s.RightsOf(role, KindServiceAccount).List()
}
