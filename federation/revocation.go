package federation

import "causeway/tenants"

// Revocation is something that ended at the site where it is at home: what other
// sites remember of it counts no more.
type Revocation struct {
	// Org is where it was; empty is every organization of the site.
	Org tenants.OrgID
	// Kind and ID are as the journal of that site names a subject: a session, a
	// service account with all its token families and sessions, a user, a signing
	// key. An organization means all that is in it.
	Kind, ID string
}

// Forgetter remembers what other sites have said about tokens of theirs. Neither
// method may block.
type Forgetter interface {
	Forget(site tenants.SiteID, what Revocation)
	// Flush forgets all that a site said: something may have been missed.
	Flush(site tenants.SiteID)
}
