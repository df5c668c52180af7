package contact

import (
	"causeway/federation"
	"causeway/internal/journal"
	"causeway/tenants"
)

// touched is an organization of ours of which some peer may have to know
// something new. Site is set where only one has.
type touched struct {
	org  tenants.OrgID
	with federation.Pair // the pair itself, where it is one
	site tenants.SiteID
}

// ended says what a row of the journal ends for other sites. Roles and rights are
// not among it: those count where a request is fulfilled.
func ended(row journal.Row) (federation.Revocation, bool) {
	org, id := tenants.OrgID(row.Org), row.Subject.ID
	switch row.Subject.Kind {
	case journal.KindSession:
	case journal.KindAccount:
		if row.Action == journal.AccountCreated {
			return federation.Revocation{}, false
		}
	case journal.KindUser:
		if row.Action == journal.UserCreated {
			return federation.Revocation{}, false
		}
	case journal.KindApp:
		switch row.Action {
		case journal.AppSecretReplaced, journal.AppRotationEnded, journal.AppDeleted, journal.AppRemoved:
		default:
			return federation.Revocation{}, false
		}
	case journal.KindOrganization:
		if row.Action == journal.OrganizationCreated || row.Action == journal.OrganizationLimited {
			return federation.Revocation{}, false
		}
		org = tenants.OrgID(id)
	case journal.KindKey:
		if row.Action != journal.KeyRetired {
			return federation.Revocation{}, false
		}
		org = "" // of every organization's tokens
	default:
		return federation.Revocation{}, false
	}
	return federation.Revocation{Org: org, Kind: row.Subject.Kind, ID: id}, true
}

// foundOut reports whether a row about an association of organizations says what
// contact has found out, and not what somebody has decided.
func foundOut(row journal.Row) bool {
	return row.Action == journal.OrgLinkStatus || row.Action == journal.OrgLinkUpdated && row.Actor == journal.System
}

// detailSite is where an entry about an association of organizations says at
// which site the remote one is: its id alone does not.
const detailSite = "site"

// shows says what a row changes in what peers know of our organizations. It is
// false where it cannot be told which peers are concerned.
func shows(row journal.Row) ([]touched, bool) {
	switch row.Subject.Kind {
	case journal.KindOrganization:
		if row.Action == journal.OrganizationDeleted {
			return nil, false // and its associations with it
		}
		return []touched{{org: tenants.OrgID(row.Subject.ID)}}, true
	case journal.KindOrgAssociation:
		site := tenants.SiteID(row.Detail[detailSite])
		if foundOut(row) {
			return nil, true // says what we see there, not what we hold
		}
		if site == "" {
			return nil, false
		}
		pair := federation.Pair{Local: tenants.OrgID(row.Org), Remote: tenants.OrgID(row.Subject.ID)}
		return []touched{{org: pair.Local, with: pair, site: site}}, true
	}
	return nil, true
}
