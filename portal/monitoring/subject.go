package monitoring

import (
	"strings"

	"causeway/internal/journal"
	"causeway/oauth"
	"causeway/portal/ui"
	"causeway/tenants"
)

// base is where the pages of access control begin.
const base = "/administration/access-control"

// pagesOf are where things of an organization have a page of their own, below its
// portal, and ofSite where those have that are the provider's to see.
var (
	pagesOf = map[string]string{
		journal.KindUser: base + "/users", journal.KindRole: base + "/roles", journal.KindAccount: oauth.AccountsPage,
	}
	ofSite = map[string]string{
		journal.KindGlobalRole: base + "/global-roles", journal.KindRightsBundle: base + "/rights-bundles",
		journal.KindOrganization: "/organizations",
	}
)

// subjectPath is the page of what a row is about. It is empty where there is none, and
// where the row says that the thing is gone.
func subjectPath(s *ui.Screen, row journal.Row, org string) string {
	if strings.HasSuffix(string(row.Action), ".deleted") || row.Subject.ID == "" {
		return ""
	}
	if at, ok := ofSite[row.Subject.Kind]; ok && s.Provider() {
		return s.Path(at, row.Subject.ID)
	}
	at, ok := pagesOf[row.Subject.Kind]
	switch {
	case !ok, org == "":
		return ""
	case s.Provider() && tenants.OrgID(row.Org) != tenants.SystemOrgID:
		return ui.TenantPath(org) + strings.TrimPrefix(s.Path(at, row.Subject.ID), s.Base)
	}
	return s.Path(at, row.Subject.ID)
}
