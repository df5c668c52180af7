package httpapi

import (
	"github.com/gin-gonic/gin"

	"causeway/internal/problem"
	"causeway/tenants"
)

// Where the endpoints of CSP's face begin, and those about one organization. Every
// package writes the parameter alike: the router takes one name at one place.
const (
	CSPBase = "/csp/gateway/am/api"
	CSPOrg  = CSPBase + "/orgs/:org"
)

// PathOrg is the organization that a path below CSPOrg names: the one in which the
// request is fulfilled, or for people of the provider at home here any. All else looks
// absent: an app is in the organizations that added it, were it the provider's own.
func PathOrg(c *gin.Context, call Call, orgs *tenants.Directory) (*tenants.Snapshot, error) {
	id, err := tenants.ParseUUID(c.Param("org"))
	if err != nil {
		return nil, problem.Hidden()
	}
	if tenants.OrgID(id) == call.Org.ID {
		return call.Org, nil
	}
	if p := call.Principal; !p.Provider() || p.Kind == tenants.KindApp || p.Via != "" {
		return nil, problem.Hidden()
	}
	org, err := orgs.Organization(c.Request.Context(), tenants.OrgID(id))
	if problem.Has(err, problem.NotFound) {
		err = problem.Hidden() // in the words for what is not the caller's business
	}
	if err == nil {
		Concern(c, org.ID)
	}
	return org, err
}
