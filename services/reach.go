package services

// Reach are the instances on which a grant of a service role counts as far as the
// owner of the app allows; one that is empty is all of them.
func (c *Ceiling) Reach(g Grant) []string {
	if c == nil || c.everywhere(g) {
		return []string{g.Resource}
	}
	var some []string
	for _, s := range c.Services {
		for _, r := range s.Roles {
			if s.Definition == g.Definition && r.Name == g.Role && (g.Resource == "" || g.Resource == r.Resource) {
				some = append(some, r.Resource)
			}
		}
	}
	return some
}

// everywhere reports whether the role is allowed on each instance.
func (c *Ceiling) everywhere(g Grant) bool {
	for _, s := range c.Services {
		if s.Definition != g.Definition {
			continue
		}
		for _, r := range s.Roles {
			if r.Name == g.Role && r.Resource == "" {
				return true
			}
		}
		if s.All {
			return true
		}
	}
	return false
}
