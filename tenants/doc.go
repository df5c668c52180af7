// Package tenants owns organizations, users, roles and rights: who somebody is
// at this site and what they may do in an organization.
//
// It does not own service accounts and tokens (package oauth) nor other sites
// (package federation); both speak of organizations and principals in the types
// declared here.
package tenants
