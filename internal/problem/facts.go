package problem

// The names of facts: what decided a refusal, for the audit trail and for
// whoever explains it later. The client that was refused is not told them. A
// fact is never a secret, and never text that the client sent.
const (
	FactReason = "reason" // one word for what decided
	FactRule   = "rule"   // of the table that decided where a request goes

	FactRights  = "rights" // any one of which was needed, divided by " | "
	FactRole    = "role"   // that lacks them
	FactRoleOrg = "roleOrganization"

	FactInstance     = "serviceInstance" // id
	FactInstanceName = "serviceInstanceName"
	FactPermission   = "permission" // of a service, that was needed

	FactLimit  = "limit"
	FactBucket = "bucket"

	FactAccount        = "account" // client id
	FactFamily         = "family"  // of refresh tokens
	FactGeneration     = "generation"
	FactLiveGeneration = "liveGeneration"
	FactAt             = "at" // when what decided happened, RFC 3339
	FactDevice         = "deviceRequest"
	FactDeviceState    = "deviceState"

	FactOrganization = "organization" // where the request was to be fulfilled
	FactSite         = "site"         // that was to fulfil it
	FactPeerRequest  = "peerRequestId"
	FactAskedOrg     = "askedOrganization" // by the context headers
	FactAskedTenant  = "askedTenant"

	// ForProvider begins the names of facts about other organizations than the
	// one whose audit trail shows the refusal.
	ForProvider = "provider."
)

// The reasons.
const (
	ReasonUnknown      = "unknown"
	ReasonExpired      = "expired"
	ReasonRevoked      = "revoked"
	ReasonReplayed     = "replayed"
	ReasonLate         = "shownAgainTooLate"
	ReasonDisabled     = "disabled"
	ReasonOtherOrg     = "otherOrganization"
	ReasonOtherClient  = "otherClient"
	ReasonUsed         = "used"
	ReasonMachine      = "machine"     // the role has the right, no machine can use it
	ReasonUnpublished  = "unpublished" // no bundle publishes the right to the organization
	ReasonRole         = "role"        // the role does not list the right
	ReasonGives        = "givesMore"   // somebody would get what the caller lacks
	ReasonNoAssoc      = "notAssociated"
	ReasonIncomplete   = "associationIncomplete"
	ReasonNoCounter    = "noCounterpart"
	ReasonNoPeople     = "peopleNotMapped"
	ReasonUnreachable  = "siteUnreachable"
	ReasonNoSuchRealm  = "noSuchOrganization"
	ReasonWrongDoor    = "otherLoginAddress"
	ReasonPassword     = "password"
	ReasonLocked       = "locked"
	ReasonStaysAtHome  = "machineStaysAtHome"
	ReasonAssertion    = "assertion"
	ReasonNoRouteRight = "noRule" // the service has no rule for the call

	ReasonNoServiceRole = "noServiceRole"    // in the service instance
	ReasonPermission    = "noPermission"     // no role there has the permission
	ReasonOriginal      = "originalInstance" // which takes no apps
)

// With adds facts, given as names and values, and returns p. Empty values say
// nothing and are left out.
func (p *Problem) With(facts ...string) *Problem {
	for i := 0; i+1 < len(facts); i += 2 {
		if facts[i+1] == "" {
			continue
		}
		if p.Facts == nil {
			p.Facts = map[string]string{}
		}
		p.Facts[facts[i]] = facts[i+1]
	}
	return p
}
