package upstream

import (
	"net/http"

	"causeway/tenants"
)

// Identity is what an instance is told about a request: who asks, in which
// organization, at which site.
type Identity struct {
	tenants.Caller
	Org  *tenants.Snapshot
	Site tenants.SiteID
	Path string // canonical: the one that was authorized
	// WebSocket lets the request become one, as its rule says.
	WebSocket bool
}

// headers are set after everything a client could have forged is gone.
func (id Identity) headers(h http.Header) {
	p := id.Principal
	h.Set("X-Causeway-Site", string(id.Site))
	h.Set("X-Causeway-Org", string(id.Org.ID))
	h.Set("X-Causeway-Org-Name", id.Org.Name)
	h.Set("X-Causeway-Principal", string(p.Kind)+":"+p.ID)
	h.Set("X-Causeway-Principal-Name", p.Name)
	h.Set("X-Causeway-Role", p.RoleName)
	h.Set("X-Causeway-Request-Id", id.RequestID)
	if p.Via != "" {
		h.Set("X-Causeway-Via-Site", string(p.Via))
	}
	// Quotas of what only the instance can count: memory, storage and the like.
	if q := p.Quota; q != nil && q.Handed != "" {
		h.Set("X-Causeway-Quota", q.Handed)
	}
	if q := id.Org.OwnQuota; q != nil && q.Handed != "" {
		h.Set("X-Causeway-Org-Quota", q.Handed)
	}
}
