package federationhttp

import (
	"encoding/xml"
	"net/http"

	"causeway/federation/associations"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/tenants"
)

// siteFields are what counts of association data that clients send: they send
// back whole what they downloaded, with addresses, links and a status that are
// the other site's to say.
type siteFields struct {
	RestEndpoint   string `xml:"RestEndpoint" json:"restEndpoint"`
	BaseUIEndpoint string `xml:"BaseUiEndpoint" json:"baseUiEndpoint"`
	Certificate    string `xml:"RestEndpointCertificate" json:"restEndpointCertificate"`
	SiteID         string `xml:"SiteId" json:"siteId"`
	SiteName       string `xml:"SiteName" json:"siteName"`
	PublicKey      string `xml:"PublicKey" json:"publicKey"`
}

func (f siteFields) data() (associations.SiteData, error) {
	id, err := tenants.ParseID[tenants.SiteID]("site", f.SiteID)
	return associations.SiteData{
		Site: id, Name: f.SiteName, RestEndpoint: f.RestEndpoint, BaseUIEndpoint: f.BaseUIEndpoint,
		Certificate: f.Certificate, PublicKey: f.PublicKey,
	}, err
}

func parseSite(r *http.Request) (associations.SiteData, error) {
	var body struct {
		XMLName xml.Name `xml:"http://www.vmware.com/vcloud/v1.5 SiteAssociationMember" json:"-"`
		siteFields
	}
	if err := httpapi.ParseBody(r, &body); err != nil {
		return associations.SiteData{}, err
	}
	return body.data()
}

func parseSites(r *http.Request) ([]associations.SiteData, error) {
	var body struct {
		XMLName xml.Name      `xml:"http://www.vmware.com/vcloud/v1.5 SiteAssociations" json:"-"`
		Members *[]siteFields `xml:"SiteAssociationMember" json:"siteAssociationMember"`
	}
	if err := httpapi.ParseBody(r, &body); err != nil {
		return nil, err
	}
	members, err := listed(body.XMLName, body.Members, "siteAssociationMember")
	if err != nil {
		return nil, err
	}
	return each(members, siteFields.data)
}

// orgFields are likewise what counts of an organization's.
type orgFields struct {
	SiteID    string `xml:"SiteId" json:"siteId"`
	OrgID     string `xml:"OrgId" json:"orgId"`
	OrgName   string `xml:"OrgName" json:"orgName"`
	PublicKey string `xml:"OrgPublicKey" json:"orgPublicKey"`
}

func (f orgFields) data() (associations.OrgData, error) {
	site, err := tenants.ParseID[tenants.SiteID]("site", f.SiteID)
	if err != nil {
		return associations.OrgData{}, err
	}
	org, err := tenants.ParseID[tenants.OrgID]("org", f.OrgID)
	return associations.OrgData{Site: site, Org: org, Name: f.OrgName, PublicKey: f.PublicKey}, err
}

func parseOrg(r *http.Request) (associations.OrgData, error) {
	var body struct {
		XMLName xml.Name `xml:"http://www.vmware.com/vcloud/v1.5 OrgAssociationMember" json:"-"`
		orgFields
	}
	if err := httpapi.ParseBody(r, &body); err != nil {
		return associations.OrgData{}, err
	}
	return body.data()
}

func parseOrgs(r *http.Request) ([]associations.OrgData, error) {
	var body struct {
		XMLName xml.Name     `xml:"http://www.vmware.com/vcloud/v1.5 OrgAssociations" json:"-"`
		Members *[]orgFields `xml:"OrgAssociationMember" json:"orgAssociationMember"`
	}
	if err := httpapi.ParseBody(r, &body); err != nil {
		return nil, err
	}
	members, err := listed(body.XMLName, body.Members, "orgAssociationMember")
	if err != nil {
		return nil, err
	}
	return each(members, orgFields.data)
}

// listed is a list that replaces what there is. In XML an empty element is an
// empty list; in JSON, a body that does not speak of the list must not end
// everything.
func listed[T any](element xml.Name, given *[]T, member string) ([]T, error) {
	switch {
	case given != nil:
		return *given, nil
	case element.Local == "":
		return nil, problem.New(problem.BadRequest, "The member %q is required; an empty list ends all associations.", member)
	}
	return nil, nil
}

func each[F, D any](fields []F, data func(F) (D, error)) ([]D, error) {
	list := make([]D, 0, len(fields))
	for _, f := range fields {
		d, err := data(f)
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, nil
}
