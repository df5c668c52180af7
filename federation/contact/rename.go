package contact

import (
	"causeway/federation"
	"causeway/internal/problem"
	"causeway/tenants"
)

// keepName leaves the old name where the local organization would know two by the
// new one. People of one site rename an organization of theirs, and what the name
// of another site's means to its clients must not change by that. An administrator
// who associates two of one name has been told of both.
func (s *Service) keepName(tx federation.Tx, remote tenants.LocationID, c *change) error {
	if c.now.name == c.was.name {
		return nil
	}
	taken, err := nameTaken(tx, c.pair.Local, remote, c.now.name)
	if err != nil || !taken {
		return err
	}
	s.Log.Warn("an organization's new name is not taken over: it means another one here",
		"org", string(c.pair.Local), "remote", remote.String(), "name", c.now.name, "kept", c.was.name)
	c.now.name = c.was.name
	return nil
}

// nameTaken reports whether a name is the provider's, or that of the local
// organization itself or of another that it is associated with.
func nameTaken(tx federation.Tx, local tenants.OrgID, remote tenants.LocationID, name string) (bool, error) {
	folded := tenants.FoldName(name)
	if system := folded == tenants.FoldName(tenants.SystemOrgName); system || remote.Org == tenants.SystemOrgID {
		return system != (remote.Org == tenants.SystemOrgID), nil
	}
	own, err := tx.Organization(local)
	if err != nil && !problem.Has(err, problem.NotFound) {
		return false, err
	}
	if err == nil && tenants.FoldName(own.Name) == folded {
		return true, nil
	}
	held, err := tx.OrgAssociations(local)
	for _, a := range held {
		if a.Location() != remote && tenants.FoldName(a.RemoteName) == folded {
			return true, err
		}
	}
	return false, err
}
