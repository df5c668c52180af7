package federationhttp

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/federation"
	"causeway/federation/associations"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/tenants"
)

const (
	ownEvery = httpapi.OwnAPI + "/orgAssociations"
	ownOrg   = httpapi.OwnAPI + "/organizations/:id"
)

func (h *Associations) ownOrgRoutes() []httpapi.Route {
	const one = ownOrg + orgsEnd + "/:remote"
	return []httpapi.Route{
		{Method: http.MethodGet, Path: ownEvery, Rights: viewSites, List: httpapi.Pages{}, Do: h.everyOrgLink},
		{Method: http.MethodGet, Path: ownOrg + "/associationData", Rights: viewOrgs, Do: h.ownOrg},
		{Method: http.MethodGet, Path: ownOrg + orgsEnd, Rights: viewOrgs, Do: h.orgLinks},
		{Method: http.MethodGet, Path: one, Rights: viewOrgs, Do: h.orgLink},
		{Method: http.MethodPut, Path: one, Rights: orgsSettings, Do: h.orgLinkUpdate},
		{Method: http.MethodDelete, Path: one, Rights: manageOrgs, Do: h.orgLinkDelete},
		{Method: http.MethodPost, Path: one + replaceKeyEnd, Rights: manageOrgs, Do: h.orgLinkKey},
	}
}

// ownOrg is what people read out to those of another organization.
func (h *Associations) ownOrg(c *gin.Context, call httpapi.Call) error {
	org, err := h.Org(c, call)
	if err != nil {
		return err
	}
	d, err := h.Service.LocalOrg(c.Request.Context(), org.Organization)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, struct {
		Location    string      `json:"locationId"`
		Org         httpapi.Ref `json:"org"`
		Site        httpapi.Ref `json:"site"`
		PublicKey   string      `json:"publicKey"`
		Fingerprint string      `json:"fingerprint"`
	}{
		d.Location().String(), httpapi.Ref{Name: d.Name, ID: tenants.URN("org", d.Org)},
		httpapi.Ref{Name: d.SiteName, ID: tenants.URN("site", d.Site)}, d.PublicKey, associations.Fingerprint(d.PublicKey),
	})
	return nil
}

// orgLink is an association with all that this site knows of it.
type orgLink struct {
	Location    string      `json:"locationId"`
	Local       httpapi.Ref `json:"localOrg"`
	Org         httpapi.Ref `json:"org"`
	Site        httpapi.Ref `json:"site"`
	Fingerprint string      `json:"fingerprint"`
	Status      string      `json:"status"`
	Reason      string      `json:"reason,omitempty"`
	StatusSince string      `json:"statusSince,omitempty"`
	OrgEnabled  bool        `json:"orgEnabled"` // as its site last said
	MapUsers    bool        `json:"mapUsers"`
	Direct      bool        `json:"direct"`
	CreatedAt   string      `json:"createdAt"`
}

func newOrgLink(a federation.ListedOrgAssociation) orgLink {
	return orgLink{
		Location: a.Location().String(), Local: httpapi.Ref{Name: a.LocalName, ID: tenants.URN("org", a.Local)},
		Org:  httpapi.Ref{Name: a.RemoteName, ID: tenants.URN("org", a.Remote)},
		Site: httpapi.Ref{Name: a.SiteName, ID: tenants.URN("site", a.Site)}, Fingerprint: associations.Fingerprint(a.PublicKey),
		Status: string(a.Status), Reason: a.Reason, StatusSince: moment(a.StatusAt), OrgEnabled: a.RemoteEnabled,
		MapUsers: a.MapUsers, Direct: a.Direct, CreatedAt: moment(a.CreatedAt),
	}
}

// everyOrgLink lists the associations of all organizations for the provider at
// home, and elsewhere those of the organization in which the provider acts.
func (h *Associations) everyOrgLink(c *gin.Context, call httpapi.Call) error {
	return h.writeOrgLinks(c, func(q tenants.Query) ([]federation.ListedOrgAssociation, int, error) {
		if call.Principal.Provider() && call.Org.System() {
			return h.Service.EveryOrg(c.Request.Context(), q)
		}
		return h.Service.Orgs(c.Request.Context(), call.Org.ID, q)
	})
}

func (h *Associations) orgLinks(c *gin.Context, call httpapi.Call) error {
	org, err := h.Org(c, call)
	if err != nil {
		return err
	}
	return h.writeOrgLinks(c, func(q tenants.Query) ([]federation.ListedOrgAssociation, int, error) {
		return h.Service.Orgs(c.Request.Context(), org.ID, q)
	})
}

func (h *Associations) writeOrgLinks(c *gin.Context, list func(tenants.Query) ([]federation.ListedOrgAssociation, int, error)) error {
	q, err := httpapi.ParseList(c.Request, federation.OrgAssociationFields, maxPageSize)
	if err != nil {
		return err
	}
	held, total, err := list(q)
	if err != nil {
		return err
	}
	values := make([]orgLink, 0, len(held))
	for _, a := range held {
		values = append(values, newOrgLink(a))
	}
	httpapi.WritePage(c, h.PublicURL, "OrgAssociations", httpapi.NewPage(values, total, q.Page, q.PageSize))
	return nil
}

func (h *Associations) orgLink(c *gin.Context, call httpapi.Call) error {
	a, err := h.held(c, call)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, newOrgLink(a))
	return nil
}

func (h *Associations) orgLinkUpdate(c *gin.Context, call httpapi.Call) error {
	a, err := h.held(c, call)
	if err != nil {
		return err
	}
	set, err := parseOrgSettings(c.Request)
	if err != nil {
		return err
	}
	if err := h.Service.SetOrg(c.Request.Context(), call.Caller, a.Local, a.Location(), set); err != nil {
		return err
	}
	return h.orgLink(c, call)
}

// parseOrgSettings reads what an organization decides itself. Both members are
// required: one that is left out must not be taken for false, or for true.
func parseOrgSettings(r *http.Request) (associations.OrgSettings, error) {
	var body struct {
		MapUsers *bool `json:"mapUsers"`
		Direct   *bool `json:"direct"`
	}
	err := httpapi.ParseOwnJSON(r, &body, "locationId", "localOrg", "org", "site", "fingerprint", "status", "reason",
		"statusSince", "orgEnabled", "createdAt")
	if err != nil {
		return associations.OrgSettings{}, err
	}
	if body.MapUsers == nil || body.Direct == nil {
		return associations.OrgSettings{}, problem.New(problem.BadRequest, `The members "mapUsers" and "direct" are required.`)
	}
	return associations.OrgSettings{MapUsers: *body.MapUsers, Direct: *body.Direct}, nil
}

func (h *Associations) orgLinkDelete(c *gin.Context, call httpapi.Call) error {
	a, err := h.held(c, call)
	if err != nil {
		return err
	}
	_, err = h.Service.RemoveOrg(c.Request.Context(), call.Caller, a.Local, a.Location())
	return httpapi.NoContent(c, err)
}

func (h *Associations) orgLinkKey(c *gin.Context, call httpapi.Call) error {
	a, err := h.held(c, call)
	if err != nil {
		return err
	}
	key, err := keyBody(c.Request)
	if err != nil {
		return err
	}
	if err := h.Service.ReplaceOrgKey(c.Request.Context(), call.Caller, a.Local, a.Location(), key); err != nil {
		return err
	}
	return h.orgLink(c, call)
}
