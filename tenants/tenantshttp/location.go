package tenantshttp

import (
	"strings"

	"github.com/gin-gonic/gin"

	"causeway/federation"
	"causeway/internal/fiql"
	"causeway/internal/httpapi"
	"causeway/oauth"
	"causeway/tenants"
)

const accessibleLocations = "/cloudapi/1.0.0/accessibleLocations"

type locationBody struct {
	LocationID string      `json:"locationId"`
	Site       httpapi.Ref `json:"site"`
	Org        httpapi.Ref `json:"org"`
	Rest       string      `json:"restApiEndpoint"`
	UI         string      `json:"uiEndpoint"`
	APIVersion string      `json:"apiVersion"`
	Alpha      *string     `json:"alphaApiVersion"`
}

// locations lists where the session may act: at home, and in every associated
// organization.
func (h *Handler) locations(c *gin.Context, call httpapi.Call) error {
	return h.writeLocations(c, call.Principal)
}

func (h *Handler) sessionLocations(c *gin.Context, call httpapi.Call) error {
	found, err := h.findSession(c, call, oauth.SessionWatchers)
	if err != nil {
		return err
	}
	p, err := h.holder(c, found)
	if err != nil {
		return err
	}
	return h.writeLocations(c, p)
}

// writeLocations keeps the order in which locations are found: home comes first.
func (h *Handler) writeLocations(c *gin.Context, who tenants.Principal) error {
	all, err := h.Locations(c.Request.Context(), who)
	if err != nil {
		return err
	}
	found, err := httpapi.ListRows(c.Request, fiql.Fields{}, maxPageSize, all, func(federation.Location, string) string { return "" })
	if err != nil {
		return err
	}
	values := make([]locationBody, 0, len(found.Values))
	for _, l := range found.Values {
		values = append(values, newLocation(l))
	}
	httpapi.WritePage(c, h.PublicURL, "AccessibleLocations", httpapi.NewPage(values, found.ResultTotal, found.Page, found.PageSize))
	return nil
}

func newLocation(l federation.Location) locationBody {
	return locationBody{
		LocationID: l.LocationID.String(),
		Site:       httpapi.Ref{Name: l.SiteName, ID: tenants.URN("site", l.Site)},
		Org:        httpapi.Ref{Name: l.OrgName, ID: tenants.URN("org", l.Org)},
		Rest:       host(l.Rest), UI: l.UI, APIVersion: httpapi.Version,
	}
}

// host is a REST endpoint as sessions show it: clients add /api and /cloudapi
// themselves.
func host(rest string) string { return strings.TrimSuffix(rest, "/api") }
