package federationhttp

import (
	"net/http"
	"net/netip"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/federation"
	"causeway/federation/associations"
	"causeway/internal/fiql"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/tenants"
)

const (
	ownSite  = httpapi.OwnAPI + "/site"
	ownSites = httpapi.OwnAPI + "/siteAssociations"
)

func (h *Associations) ownSiteRoutes() []httpapi.Route {
	const one = ownSites + "/:site"
	return []httpapi.Route{
		{Method: http.MethodGet, Path: ownSite, Rights: viewSites, Do: h.self},
		{Method: http.MethodGet, Path: ownSites, Rights: viewSites, List: httpapi.Pages{}, Do: h.siteLinks},
		{Method: http.MethodGet, Path: one, Rights: viewSites, Do: h.siteLink},
		{Method: http.MethodPut, Path: one, Rights: manageSites, Do: h.siteLinkUpdate},
		{Method: http.MethodDelete, Path: one, Rights: manageSites, Do: h.siteLinkDelete},
		{Method: http.MethodPost, Path: one + replaceKeyEnd, Rights: manageSites, Do: h.siteLinkKey},
	}
}

// self is what people read out to those of another site.
func (h *Associations) self(c *gin.Context, _ httpapi.Call) error {
	d, err := h.Service.LocalSite(c.Request.Context())
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, struct {
		ID             string `json:"id"`
		Name           string `json:"name"`
		RestEndpoint   string `json:"restEndpoint"`
		BaseUIEndpoint string `json:"baseUiEndpoint"`
		PublicKey      string `json:"publicKey"`
		Fingerprint    string `json:"fingerprint"`
	}{tenants.URN("site", d.Site), d.Name, d.RestEndpoint, d.BaseUIEndpoint, d.PublicKey, associations.Fingerprint(d.PublicKey)})
	return nil
}

// siteLink is an association with all that this site knows of it.
type siteLink struct {
	ID              string   `json:"id"`
	Name            string   `json:"name"`
	RestEndpoint    string   `json:"restEndpoint"`
	BaseUIEndpoint  string   `json:"baseUiEndpoint"`
	Fingerprint     string   `json:"fingerprint"`
	NextFingerprint string   `json:"nextFingerprint,omitempty"` // of the key that the site has announced
	Status          string   `json:"status"`
	Reason          string   `json:"reason,omitempty"`
	StatusSince     string   `json:"statusSince,omitempty"`
	LastContact     string   `json:"lastContact,omitempty"`
	AllowedNetworks []string `json:"allowedNetworks"`
	CreatedAt       string   `json:"createdAt"`
}

func newSiteLink(a federation.SiteAssociation) siteLink {
	l := siteLink{
		ID: tenants.URN("site", a.Site), Name: a.Name, RestEndpoint: a.RestEndpoint, BaseUIEndpoint: a.BaseUIEndpoint,
		Fingerprint: associations.Fingerprint(a.PublicKey), Status: string(a.Status), Reason: a.Reason,
		StatusSince: moment(a.StatusAt), LastContact: moment(a.ContactedAt), AllowedNetworks: []string{}, CreatedAt: moment(a.CreatedAt),
	}
	if a.NextKey != "" {
		l.NextFingerprint = associations.Fingerprint(a.NextKey)
	}
	for _, p := range a.Allowed {
		l.AllowedNetworks = append(l.AllowedNetworks, p.String())
	}
	return l
}

// moment is a time, or nothing for what never was.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return httpapi.Time(t)
}

var siteLinkFields = fiql.Fields{
	"id":     {Column: "id", Kind: fiql.URN, URN: "site"},
	"name":   {Column: "name", Kind: fiql.Text},
	"status": {Column: "status", Kind: fiql.Text},
}

func (l siteLink) text(selector string) string {
	return map[string]string{"id": l.ID, "name": l.Name, "status": l.Status}[selector]
}

func (h *Associations) siteLinks(c *gin.Context, _ httpapi.Call) error {
	held, err := h.Service.Sites(c.Request.Context())
	if err != nil {
		return err
	}
	rows := make([]siteLink, 0, len(held))
	for _, a := range held {
		rows = append(rows, newSiteLink(a))
	}
	page, err := httpapi.ListRows(c.Request, siteLinkFields, maxPageSize, rows, siteLink.text)
	if err != nil {
		return err
	}
	httpapi.WritePage(c, h.PublicURL, "SiteAssociations", page)
	return nil
}

func (h *Associations) siteLink(c *gin.Context, _ httpapi.Call) error {
	id, err := siteOf(c)
	if err != nil {
		return err
	}
	a, err := h.Service.Site(c.Request.Context(), id)
	return writeSiteLink(c, a, err)
}

func writeSiteLink(c *gin.Context, a federation.SiteAssociation, err error) error {
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, newSiteLink(a))
	return nil
}

func (h *Associations) siteLinkUpdate(c *gin.Context, call httpapi.Call) error {
	id, err := siteOf(c)
	if err != nil {
		return err
	}
	allowed, err := parseAllowed(c.Request)
	if err != nil {
		return err
	}
	a, err := h.Service.SetAllowed(c.Request.Context(), call.Caller, id, allowed)
	return writeSiteLink(c, a, err)
}

// parseAllowed reads where the addresses of a site may lie. The rest is association
// data, which is changed below /api, and what contact finds out.
func parseAllowed(r *http.Request) ([]netip.Prefix, error) {
	var body struct {
		Networks *[]string `json:"allowedNetworks"`
	}
	err := httpapi.ParseOwnJSON(r, &body, "id", "name", "restEndpoint", "baseUiEndpoint", "fingerprint", "nextFingerprint",
		"status", "reason", "statusSince", "lastContact", "createdAt")
	if err != nil {
		return nil, err
	}
	if body.Networks == nil {
		return nil, problem.New(problem.BadRequest, `The member "allowedNetworks" is required; an empty list names none.`)
	}
	return associations.ParseNetworks(*body.Networks)
}

// siteLinkDelete ends an association; with force=true also all that organizations
// hold with organizations of that site.
func (h *Associations) siteLinkDelete(c *gin.Context, call httpapi.Call) error {
	id, err := siteOf(c)
	if err != nil {
		return err
	}
	force, err := forced(c.Request)
	if err != nil {
		return err
	}
	_, err = h.Service.RemoveSite(c.Request.Context(), call.Caller, id, force)
	return httpapi.NoContent(c, err)
}

func forced(r *http.Request) (bool, error) {
	q, err := httpapi.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return false, err
	}
	switch q.Get("force") {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, problem.New(problem.BadRequest, "force must be true or false.")
}

func (h *Associations) siteLinkKey(c *gin.Context, call httpapi.Call) error {
	id, err := siteOf(c)
	if err != nil {
		return err
	}
	key, err := keyBody(c.Request)
	if err != nil {
		return err
	}
	a, err := h.Service.ReplaceSiteKey(c.Request.Context(), call.Caller, id, key)
	return writeSiteLink(c, a, err)
}
