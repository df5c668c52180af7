package oauth

import (
	"net/url"

	"causeway/tenants"
)

// Issuer names who issues the tokens of an organization: its realm, from whose
// name clients derive where the realm says about itself what it serves (RFC 8414
// §3.1).
func (s *Service) Issuer(org tenants.Organization) string {
	if org.System() {
		return s.policy.Issuer + "/oauth/provider"
	}
	return s.policy.Issuer + "/oauth/tenant/" + url.PathEscape(org.Name)
}
