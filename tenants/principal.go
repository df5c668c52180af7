package tenants

import (
	"time"

	"causeway/internal/journal"
)

// PrincipalKind tells people from machines: machines have limits of their own
// whatever their role says.
type PrincipalKind string

const (
	KindUser           PrincipalKind = "user"
	KindServiceAccount PrincipalKind = "serviceAccount"
	// KindAPIToken is a session that a user's API token opened: the principal is
	// the user, and the limits are those of a machine.
	KindAPIToken PrincipalKind = "apiToken"
	// KindApp is a server-to-server app. It has no role of an organization but what
	// was granted to it where it was added, see package services.
	KindApp PrincipalKind = "app"
)

// Machine reports whether k acts without a human (VCD-30).
func (k PrincipalKind) Machine() bool { return k != KindUser }

// OfUser reports whether a principal of kind k is identified as a user, whose
// row says what it may do and whether it may do anything.
func (k PrincipalKind) OfUser() bool { return k == KindUser || k == KindAPIToken }

// Identity is the kind of thing that a principal's ID identifies.
func (k PrincipalKind) Identity() string {
	if k == KindAPIToken {
		return string(KindUser)
	}
	return string(k)
}

// Principal is who asks: the holder of a session at this site, or a principal
// of a peer site mapped to the account of the same identity here.
type Principal struct {
	Kind       PrincipalKind
	ID         string // UserID or service account client id at this site; see PrincipalKind.Identity
	Name       string
	SoftwareID string // service accounts only
	Org        OrgID
	OrgName    string
	Role       RoleID
	RoleName   string
	Session    SessionID // empty when a peer site vouches
	Home       LocationID
	// Quota is what the principal may use, as the session was issued; for
	// principals of peer sites, as it is here now. Nil is no quota.
	Quota *Quota
	// Epoch of an app says which time it was added to Org: one that was removed and
	// added again is another, whose older tokens are worth nothing.
	Epoch int64
	// Via is the site that vouched for the principal; empty at home.
	Via SiteID
	// ActsIn is the tenant in which a provider from a peer site asks to act; empty
	// for others.
	ActsIn OrgID
}

// Place is the organization in which a principal whom a peer site vouched for
// asks to act.
func (p Principal) Place() OrgID {
	if p.ActsIn != "" {
		return p.ActsIn
	}
	return p.Org
}

// Provider reports whether p belongs to the provider's organization.
func (p Principal) Provider() bool { return p.Org == SystemOrgID }

// Actor is p as the journal names it.
func (p Principal) Actor() journal.Actor {
	return journal.Actor{Kind: string(p.Kind), ID: p.ID, Name: p.Name, Org: string(p.Org)}
}

// Caller is who asks and from where, for decisions, audit and events.
type Caller struct {
	Principal Principal // zero for anonymous callers
	Source    string    // limiter key of the address: IPv4 address or IPv6 /64
	Address   string
	UserAgent string
	RequestID string
}

// Actor is the caller as the journal names it.
func (c Caller) Actor() journal.Actor {
	if c.Principal.ID == "" {
		return journal.Actor{Kind: "anonymous"}
	}
	return c.Principal.Actor()
}

// entry is the journal's line about something that the caller did, or that the
// gateway itself did when nobody asked.
func (c Caller) entry(at time.Time, org OrgID, action journal.Action, subject journal.Subject, detail map[string]string) journal.Entry {
	actor := c.Actor()
	if c.Principal.ID == "" {
		actor = journal.System
	}
	return journal.Entry{
		At: at, Org: string(org), Actor: actor, Action: action, Subject: subject,
		RequestID: c.RequestID, Source: c.Address, Detail: detail,
	}
}
