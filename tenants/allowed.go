package tenants

// Allowed are the rights that a role allows somebody of the given kind now, in
// catalog order and by what the database says.
func Allowed(g Ground, role Role, kind PrincipalKind) ([]Right, error) {
	reach, err := reachOf(g, role, kind)
	return reach.now.List(), err
}
