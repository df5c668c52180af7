package clients

import (
	"net/url"
	"testing"
	"time"

	"github.com/vmware/go-vcloud-director/v3/govcd"
	"github.com/vmware/go-vcloud-director/v3/types/v56"
)

// The steps of the SDK's own Test_SiteAssociations and Test_OrgAssociations, on
// sites that are taken apart first.
func TestGoVCDAssociations(t *testing.T) {
	f := start(t)
	west, east := f.at(t, 0), f.at(t, 1)
	t.Run("take apart", func(t *testing.T) {
		for _, s := range []*atSite{west, east} {
			for i := range s.file.Sites[s.site].Organizations {
				org := s.org(t, i)
				for _, a := range get(org.GetOrgAssociations())(t) {
					must(t, org.RemoveOrgAssociation(a.Href))
				}
			}
			for _, a := range get(s.provider.Client.GetSiteAssociations())(t) {
				must(t, s.provider.Client.RemoveSiteAssociation(a.Href))
			}
			if left := get(s.provider.Client.QueryAllOrgAssociations(nil, nil))(t); len(left) != 0 {
				t.Errorf("%d associations of organizations are left", len(left))
			}
		}
	})
	t.Run("one site", func(t *testing.T) { east.insideOneSite(t) })
	t.Run("two sites", func(t *testing.T) { west.associate(t, east) })
}

// atSite is the SDK at one site.
type atSite struct {
	file     file
	site     int
	api      url.URL
	provider *govcd.VCDClient
}

func (f file) at(t *testing.T, site int) *atSite {
	t.Helper()
	u := get(url.Parse(f.Sites[site].API + "/api"))(t)
	s := &atSite{file: f, site: site, api: *u, provider: govcd.NewVCDClient(*u, true)}
	must(t, s.provider.Authenticate(f.Sites[site].Admin.User, f.Sites[site].Admin.Password, "System"))
	return s
}

// org is an organization as its own administrator sees it.
func (s *atSite) org(t *testing.T, i int) *govcd.AdminOrg {
	t.Helper()
	o := s.file.Sites[s.site].Organizations[i]
	c := govcd.NewVCDClient(s.api, true)
	must(t, c.Authenticate(o.Admin.User, o.Admin.Password, o.Name))
	return get(c.GetAdminOrgByName(o.Name))(t)
}

// patience is how long a status may take; the SDK asks once a second.
const patience = 10 * time.Second

// active fails the test where the SDK gave up waiting.
func active(t *testing.T, what string) func(status string, took time.Duration, err error) {
	return func(status string, took time.Duration, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %s after %s: %v", what, status, took, err)
		}
	}
}

func (s *atSite) insideOneSite(t *testing.T) {
	one, two := s.org(t, 1), s.org(t, 2)
	ofOne, ofTwo := get(one.GetOrgAssociationData())(t), get(two.GetOrgAssociationData())(t)
	raw := get(govcd.RawDataToStructuredXml[types.OrgAssociationMember](get(one.GetOrgRawAssociationData())(t)))(t)
	if raw.OrgID != ofOne.OrgID || raw.OrgPublicKey != ofOne.OrgPublicKey {
		t.Errorf("raw %+v, read %+v", raw, ofOne)
	}
	must(t, one.SetOrgAssociation(*ofTwo))
	must(t, two.SetOrgAssociation(*ofOne))
	active(t, "one")(one.CheckOrgAssociation(ofTwo.OrgID, patience))
	active(t, "two")(two.CheckOrgAssociation(ofOne.OrgID, patience))
	must(t, one.RemoveOrgAssociation(get(one.GetOrgAssociationByOrgId(ofTwo.OrgID))(t).Href))
	must(t, two.RemoveOrgAssociation(get(two.GetOrgAssociationByOrgId(ofOne.OrgID))(t).Href))
}

func (s *atSite) associate(t *testing.T, other *atSite) {
	here, there := &s.provider.Client, &other.provider.Client
	ofHere, ofThere := get(here.GetSiteAssociationData())(t), get(there.GetSiteAssociationData())(t)
	raw := get(govcd.RawDataToStructuredXml[types.SiteAssociationMember](get(here.GetSiteRawAssociationData())(t)))(t)
	if raw.SiteID != ofHere.SiteID || raw.PublicKey != ofHere.PublicKey || raw.RestEndpointCertificate != ofHere.RestEndpointCertificate {
		t.Errorf("raw %+v, read %+v", raw, ofHere)
	}
	if site := get(here.GetSite())(t); site.Id != ofHere.SiteID || site.RestEndpoint != ofHere.RestEndpoint {
		t.Errorf("%+v, %+v", site, ofHere)
	}
	must(t, here.SetSiteAssociation(*ofThere))
	must(t, there.SetSiteAssociation(*ofHere))
	active(t, "the first site")(here.CheckSiteAssociation(ofThere.SiteID, patience))
	active(t, "the second site")(there.CheckSiteAssociation(ofHere.SiteID, patience))

	one, two := s.org(t, 0), other.org(t, 0)
	orgOne, orgTwo := get(one.GetOrgAssociationData())(t), get(two.GetOrgAssociationData())(t)
	must(t, one.SetOrgAssociation(*orgTwo))
	must(t, two.SetOrgAssociation(*orgOne))
	active(t, "the first organization")(one.CheckOrgAssociation(orgTwo.OrgID, patience))
	active(t, "the second organization")(two.CheckOrgAssociation(orgOne.OrgID, patience))
	if all := get(here.QueryAllOrgAssociations(nil, nil))(t); len(all) != 1 || all[0].OrgId != orgTwo.OrgID || all[0].SiteId != ofThere.SiteID {
		t.Errorf("the provider finds %+v", all)
	}
	held := get(here.GetSiteAssociationBySiteId(ofThere.SiteID))(t)
	if err := here.RemoveSiteAssociation(held.Href); err == nil {
		t.Error("a site goes while an organization is associated with it")
	}
	must(t, one.RemoveOrgAssociation(get(one.GetOrgAssociationByOrgId(orgTwo.OrgID))(t).Href))
	must(t, two.RemoveOrgAssociation(get(two.GetOrgAssociationByOrgId(orgOne.OrgID))(t).Href))
	must(t, here.RemoveSiteAssociation(held.Href))
	must(t, there.RemoveSiteAssociation(get(there.GetSiteAssociationBySiteId(ofHere.SiteID))(t).Href))
}
