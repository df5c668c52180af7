package federationhttp

import (
	"encoding/xml"
	"net/http/httptest"
	"strings"
	"testing"

	"causeway/federation/associations"
)

// What is read of association data, and shown again, reads as the same; and no
// body makes the parser fall.
func FuzzSiteData(f *testing.F) {
	for _, seed := range []string{
		`<SiteAssociationMember xmlns="http://www.vmware.com/vcloud/v1.5" name="a"><Link rel="edit" href="x"/><RestEndpoint>https://a.example/api</RestEndpoint>` +
			`<SiteId>urn:vcloud:site:11111111-2222-4333-8444-555555555555</SiteId><SiteName>a &amp; b</SiteName><PublicKey>x</PublicKey><Status>ACTIVE</Status></SiteAssociationMember>`,
		`<SiteAssociationMember><SiteId>11111111-2222-4333-8444-555555555555</SiteId></SiteAssociationMember>`, `<SiteAssociations/>`, `{}`, "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		read := func(body string) (associations.SiteData, error) {
			return parseSite(httptest.NewRequest("POST", sitesPath, strings.NewReader(body)))
		}
		_, _ = ReadSite(body)
		_, _ = parseSites(httptest.NewRequest("PUT", sitesPath, strings.NewReader(body)))
		d, err := read(body)
		if err != nil {
			return
		}
		shown, err := xml.Marshal(siteMemberXML{siteMember: renderSite(d, "https://here.example/api/site/associations/x", "edit")})
		if err != nil {
			t.Fatal(err)
		}
		again, err := read(string(shown))
		if err != nil || oneLineBreak(again) != oneLineBreak(d) {
			t.Errorf("%q was read as %+v and came back as %+v, %v", body, d, again, err)
		}
	})
}

// oneLineBreak takes off what XML itself makes alike.
func oneLineBreak(d associations.SiteData) associations.SiteData {
	for _, s := range []*string{&d.Name, &d.RestEndpoint, &d.BaseUIEndpoint, &d.Certificate, &d.PublicKey} {
		*s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(*s)
	}
	return d
}

func FuzzOrgData(f *testing.F) {
	for _, seed := range []string{
		`<OrgAssociationMember xmlns="http://www.vmware.com/vcloud/v1.5" href="x" type="y"><SiteId>urn:vcloud:site:11111111-2222-4333-8444-555555555555</SiteId>` +
			`<OrgId>urn:vcloud:org:11111111-2222-4333-8444-555555555555</OrgId><OrgName>acme</OrgName><OrgPublicKey>x</OrgPublicKey></OrgAssociationMember>`,
		`<OrgAssociations><OrgAssociationMember/></OrgAssociations>`, `{"orgAssociationMember":[]}`, "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if d, err := ReadOrg(body); err == nil && (d.Org == "" || d.Site == "") {
			t.Errorf("%q was read as %+v", body, d)
		}
		for _, media := range []string{"application/*+xml", "application/*+json"} {
			r := httptest.NewRequest("POST", adminOrg, strings.NewReader(body))
			r.Header.Set("Content-Type", media)
			if d, err := parseOrg(r); err == nil && (d.Org == "" || d.Site == "") {
				t.Errorf("%q was read as %+v", body, d)
			}
			r = httptest.NewRequest("PUT", adminOrg, strings.NewReader(body))
			r.Header.Set("Content-Type", media)
			_, _ = parseOrgs(r)
		}
	})
}
