package oauth

import (
	"net/url"

	"causeway/tenants"
)

// Issuer names who issues the tokens of an organization: its realm, from whose
// name clients derive where the realm says about itself what it serves (RFC 8414
// §3.1). It is the iss of access tokens.
func (s *Service) Issuer(org tenants.Organization) string { return s.issuer(org.ID, org.Name) }

func (s *Service) issuer(org tenants.OrgID, name string) string {
	if org == tenants.SystemOrgID {
		return s.policy.PublicURL + "/oauth/provider"
	}
	return s.policy.PublicURL + "/oauth/tenant/" + url.PathEscape(name)
}
