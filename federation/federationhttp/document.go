package federationhttp

import (
	"io"
	"net/http"
	"strings"

	"causeway/federation/associations"
	"causeway/internal/httpapi"
	"causeway/tenants"
)

// SiteDocument is a site's association data as it is handed out.
func SiteDocument(d associations.SiteData, publicURL string) ([]byte, error) {
	return httpapi.EncodeXML(localSite(d, publicURL))
}

func localSite(d associations.SiteData, publicURL string) siteMemberXML {
	return siteMemberXML{siteMember: renderSite(d, publicURL+sitesPath+localData, "edit")}
}

// OrgDocument is an organization's association data as it is handed out.
func OrgDocument(d associations.OrgData, publicURL string) ([]byte, error) {
	return httpapi.EncodeXML(localOrg(d, publicURL))
}

func localOrg(d associations.OrgData, publicURL string) orgMemberXML {
	all := orgsHref(publicURL, d.Org)
	return orgMemberXML{orgMember: orgMember{
		Href: all + localData, Type: mediaOrgMember, Links: []httpapi.Link{{Rel: "up", Type: mediaOrgs, Href: all}},
		SiteID: tenants.URN("site", d.Site), OrgID: tenants.URN("org", d.Org), SiteName: d.SiteName, OrgName: d.Name, PublicKey: d.PublicKey,
	}}
}

// ReadSite reads association data that somebody brings, in XML or JSON, as the API
// does.
func ReadSite(text string) (associations.SiteData, error) { return parseSite(asRequest(text)) }

// ReadOrg does so for an organization's.
func ReadOrg(text string) (associations.OrgData, error) { return parseOrg(asRequest(text)) }

func asRequest(text string) *http.Request {
	text = strings.TrimSpace(text)
	media := "application/xml"
	if strings.HasPrefix(text, "{") {
		media = "application/json"
	}
	return &http.Request{Header: http.Header{"Content-Type": {media}}, Body: io.NopCloser(strings.NewReader(text))}
}
