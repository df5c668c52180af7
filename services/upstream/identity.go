package upstream

import (
	"net/http"

	"causeway/services"
	"causeway/tenants"
)

// Identity is what an instance is told about a request: who asks, in which
// organization, at which site, and for an organization's instance what they may do
// there.
type Identity struct {
	tenants.Caller
	Org  *tenants.Snapshot
	Site tenants.SiteID
	Path string // canonical: the one that was authorized
	// WebSocket lets the request become one, as its rule says.
	WebSocket bool

	// Effect is set for instances of organizations.
	*services.Effect

	instance  services.InstanceID
	assertion string
}

// HeaderAssertion carries what an instance can verify, see [Assertion].
const HeaderAssertion = "X-Causeway-Identity"

// GroupAccounts is the group of the apps' accounts in every instance (CSP-19).
const GroupAccounts = "service-accounts"

// identityHeaders is about how many there are.
const identityHeaders = 14

// headers are set after everything a client could have forged is gone.
func (id *Identity) headers(h http.Header) {
	p := &id.Principal
	s := setter{h: h, room: make([]string, 0, identityHeaders)}
	s.set("X-Causeway-Site", string(id.Site))
	s.set("X-Causeway-Org", string(id.Org.ID))
	s.set("X-Causeway-Org-Name", id.Org.Name)
	s.set("X-Causeway-Principal", string(p.Kind)+":"+p.ID)
	s.set("X-Causeway-Principal-Name", p.Name)
	s.set("X-Causeway-Request-Id", id.RequestID)
	if p.Kind != tenants.KindApp { // which has no role
		s.set("X-Causeway-Role", p.RoleName)
	}
	if p.Via != "" {
		s.set("X-Causeway-Via-Site", string(p.Via))
	}
	// Quotas of what only the instance can count: memory, storage and the like.
	if q := p.Quota; q != nil && q.Handed != "" {
		s.set("X-Causeway-Quota", q.Handed)
	}
	if q := id.Org.OwnQuota; q != nil && q.Handed != "" {
		s.set("X-Causeway-Org-Quota", q.Handed)
	}
	if id.Effect == nil {
		return
	}
	s.set("X-Causeway-Instance", string(id.instance))
	s.set("X-Causeway-Permissions", id.Permissions)
	if id.Account != "" {
		s.set("X-Causeway-Service-Account", id.Account)
		s.set("X-Causeway-Groups", GroupAccounts)
	}
	if id.assertion != "" {
		s.set(HeaderAssertion, id.assertion)
	}
}

// setter sets headers whose names are spelled as net/http does, and makes room for
// all their values at once.
type setter struct {
	h    http.Header
	room []string
}

func (s *setter) set(name, value string) {
	s.room = append(s.room, value)
	s.h[name] = s.room[len(s.room)-1 : len(s.room) : len(s.room)]
}
