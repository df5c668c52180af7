package federation

import "causeway/tenants"

// Toll is what a request from an associated site is asked on its way in, so that
// neither what is refused nor what is let in comes without end.
type Toll struct {
	// Try is asked before anything is looked up. org is the principal's own at the
	// other site, by that site's word alone.
	Try func(org tenants.OrgID) error
	// Pass is asked when it is known who somebody is here, and before anything is
	// written for the request.
	Pass func(who tenants.Principal) error
}
