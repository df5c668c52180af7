package route

import (
	"time"

	"causeway/federation"
	"causeway/internal/problem"
	"causeway/tenants"
)

// Session is whose request it is, as far as routing cares.
type Session struct {
	Org      tenants.OrgID
	OrgName  string
	Provider bool
}

// PeerState is what this site knows about a peer site.
type PeerState struct {
	// Status is the site association's. It counts together with the
	// organization's: nothing leaves without both.
	Status federation.Status
	// Open reports that the breaker refuses calls, RetryAfter for how long.
	Open       bool
	RetryAfter time.Duration
}

// View answers from memory, for one moment.
type View interface {
	// LocalOrg is an organization of this site.
	LocalOrg(id tenants.OrgID) (name string, ok bool)
	// LocalOrgByName looks a folded name up (tenants.FoldName).
	LocalOrgByName(folded string) (tenants.OrgID, bool)
	// Associations are those of one local organization, organizations of this
	// same site among them.
	Associations(local tenants.OrgID) *Book
	// Peer is false where no site association is held.
	Peer(site tenants.SiteID) (PeerState, bool)
}

// Input is everything a decision depends on.
type Input struct {
	Self    tenants.SiteID
	Session Session
	// AuthContext and TenantContext are the raw header values; empty is absent.
	AuthContext   string
	TenantContext string
	// Forwarded says that a peer vouched for the request, whose destination is Dst.
	// Of Session only Provider is looked at then.
	Forwarded bool
	Dst       tenants.OrgID
	// ViaSelf says that the Via header names this site.
	ViaSelf bool
	View    View
}

// Kind is what to do with the request.
type Kind int

const (
	Refuse Kind = iota // zero: a forgotten field must not let anything through
	Local
	Peer
)

func (k Kind) String() string {
	switch k {
	case Local:
		return "local"
	case Peer:
		return "peer"
	default:
		return "refuse"
	}
}

// Row names the rule that decided, for logs, metrics and explanations.
type Row string

const (
	RowForwarded     Row = "0"  // came with an assertion: here or nowhere
	RowNoContext     Row = "1"  // no context: the session's organization
	RowLocalTenant   Row = "2"  // TENANT-CONTEXT names an organization of this site
	RowLocation      Row = "3"  // AUTH-CONTEXT is org@site
	RowTheirTenant   Row = "3b" // a provider names another site's tenant as org@site
	RowRemoteTenant  Row = "4"  // TENANT-CONTEXT names an associated organization elsewhere
	RowUnknownTenant Row = "4b" // TENANT-CONTEXT names nothing this session may reach
	RowOwnName       Row = "5"  // AUTH-CONTEXT is the session's own organization
	RowByName        Row = "6"  // exactly one organization has the name
	RowAmbiguous     Row = "7"  // several have it
	RowUnknownName   Row = "8"  // none that this session may reach
	RowIncomplete    Row = "9"  // the association is not complete
	RowUnreachable   Row = "10" // the peer cannot be reached now
	RowLoop          Row = "11" // the request has been here before
	RowMalformed     Row = "malformed"
)

// Decision is where the request goes. Problem is set exactly when Kind is
// Refuse; Org, OrgName and Site when it is not, and for rows 9 to 11.
type Decision struct {
	Row     Row
	Kind    Kind
	Org     tenants.OrgID
	OrgName string
	Site    tenants.SiteID
	Problem *problem.Problem
	// Candidates are the locations an ambiguous name could mean, sorted; only
	// those this session may reach.
	Candidates []tenants.LocationID
}
