package tenantshttp_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"causeway/internal/sitetest"
)

const adminOrgs = "/api/admin/org/"

// A disabled organization's sessions end and its tokens wait: no client loses
// its identity because the organization was closed for a while.
func TestOrganizations_DisabledOrganizationHasNoSessionsAndKeepsItsTokens(t *testing.T) {
	eachCrowd(t, func(t *testing.T, c *crowd) {
		id := c.Client.Register(t, "east", "acme", c.admin, "patient", "bc2528fd-35c4-44e5-a55d-62e5c4bd9c99", "Organization Administrator")
		access, refresh := c.Client.ConnectAs(t, "east", "acme", c.admin, id)
		mine := adminOrgs + string(c.org)
		c.do("GET", mine, access, "").Want(t, http.StatusOK)

		c.do("POST", mine+"/action/disable", c.provider, "").Want(t, http.StatusNoContent)
		for name, token := range map[string]string{"an app's session": access, "a person's session": c.admin} {
			if a := c.do("GET", mine, token, ""); a.Status != http.StatusUnauthorized {
				t.Errorf("%s: status %d\n%s", name, a.Status, a.Body)
			}
		}
		if a, err := c.Client.TryLogin("east", "acme"); err != nil || a.Status != http.StatusUnauthorized {
			t.Errorf("login: %d, %v", a.Status, err)
		}
		for range 2 { // to ask again does no harm
			if a := c.Client.Refresh(t, "east", "acme", refresh); a.Status != http.StatusBadRequest || a.String(t, "error") != "invalid_grant" {
				t.Errorf("refresh: %d %s", a.Status, a.Body)
			}
		}

		c.do("POST", mine+"/action/enable", c.provider, "").Want(t, http.StatusNoContent)
		c.do("GET", mine, access, "").Want(t, http.StatusUnauthorized)
		c.do("GET", mine, c.admin, "").Want(t, http.StatusUnauthorized)
		again := c.Client.Refresh(t, "east", "acme", refresh).Want(t, http.StatusOK).String(t, "access_token")
		c.do("GET", mine, again, "").Want(t, http.StatusOK)
		c.Client.Login(t, "east", "acme")
	})
}

func TestOrganizations_DeletedOrganizationsTokensOpenNothing(t *testing.T) {
	eachCrowd(t, func(t *testing.T, c *crowd) {
		id := c.Client.Register(t, "east", "acme", c.admin, "orphan", "bc2528fd-35c4-44e5-a55d-62e5c4bd9c99", "Organization Administrator")
		access, refresh := c.Client.ConnectAs(t, "east", "acme", c.admin, id)
		mine := adminOrgs + string(c.org)
		c.do("POST", mine+"/action/disable", c.provider, "").Want(t, http.StatusNoContent)
		c.do("DELETE", mine+"?force=true&recursive=true", c.provider, "").Want(t, http.StatusAccepted)
		c.do("POST", "/cloudapi/1.0.0/orgs", c.provider, `{"name":"acme","isEnabled":true}`).Want(t, http.StatusCreated)
		for name, token := range map[string]string{"an app's session": access, "a person's session": c.admin} {
			if a := c.do("GET", "/api/org", token, ""); a.Status != http.StatusUnauthorized {
				t.Errorf("%s opens the organization that has the name now: status %d\n%s", name, a.Status, a.Body)
			}
		}
		if a := c.Client.Refresh(t, "east", "acme", refresh); a.Status != http.StatusBadRequest {
			t.Errorf("refresh: %d %s", a.Status, a.Body)
		}
		if a, err := c.Client.TryLogin("east", "acme"); err != nil || a.Status != http.StatusUnauthorized {
			t.Errorf("login: %d, %v", a.Status, err)
		}
	})
}

// The rest needs no site of its own.
func TestOrganizations_OverHTTP(t *testing.T) {
	eachCrowd(t, func(t *testing.T, c *crowd) {
		for _, part := range []struct {
			name string
			test func(*testing.T, *crowd)
		}{
			{"R9 hostile bodies change nothing", hostileBodies},
			{"pages lead through the whole list once", queryPages},
			{"whole objects sent back change nothing", wholeObjectsSentBack},
			{"R6 contexts narrow what a provider reaches", contextsNarrow},
			{"R7 what the caller's rights show", rightsShow},
			{"every element always", elementsAlways},
			{"R7 each part takes its own right", narrowRights},
		} {
			t.Run(part.name, func(t *testing.T) {
				within := *c
				within.t = t
				part.test(t, &within)
			})
		}
	})
}

// What clients read they can send back whole, and nothing changes.
func wholeObjectsSentBack(t *testing.T, c *crowd) {
	const settings = `<OrgPasswordPolicySettings><AccountLockoutEnabled>true</AccountLockoutEnabled></OrgPasswordPolicySettings>`
	c.do("PUT", adminOrgs+string(c.org)+"/settings/passwordPolicy", c.admin, settings, "Content-Type", "application/vnd.vmware.admin.organizationPasswordPolicySettings+xml").
		Want(t, http.StatusOK)
	for _, tt := range []struct{ name, path, media string }{
		{"XML", adminOrgs + string(c.org), "application/*+xml"},
		{"JSON", adminOrgs + string(c.org), "application/*+json"},
		{"settings in XML", adminOrgs + string(c.org) + "/settings", "application/*+xml"},
		{"settings in JSON", adminOrgs + string(c.org) + "/settings", "application/*+json"},
		{"OpenAPI", "/cloudapi/1.0.0/orgs/urn:vcloud:org:" + string(c.org), "application/json"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			read := c.do("GET", tt.path, c.admin, "", "Accept", tt.media).Want(t, http.StatusOK)
			media, _, _ := strings.Cut(read.Header.Get("Content-Type"), ";")
			put := c.do("PUT", tt.path, c.admin, string(read.Body), "Accept", tt.media, "Content-Type", media).Want(t, http.StatusOK)
			if !bytes.Equal(read.Body, put.Body) {
				t.Errorf("read %s\nPUT %s", read.Body, put.Body)
			}
		})
	}
}

func hostileBodies(t *testing.T, c *crowd) {
	mine := adminOrgs + string(c.org)
	before := c.do("GET", mine, c.provider, "").Want(t, http.StatusOK)
	const xmlns = `<AdminOrg xmlns="http://www.vmware.com/vcloud/v1.5" name="acme">`
	for name, body := range map[string]string{
		"nothing":          "",
		"no XML":           "name=acme",
		"JSON":             `{"name":"acme"}`,
		"another element":  `<Org name="acme"/>`,
		"two elements":     `<AdminOrg name="acme"/><AdminOrg name="x"/>`,
		"cut short":        xmlns + "<FullName>x",
		"a DOCTYPE":        `<!DOCTYPE AdminOrg SYSTEM "file:///etc/passwd"><AdminOrg name="acme"/>`,
		"an entity":        xmlns + `<FullName>&x;</FullName></AdminOrg>`,
		"deep":             xmlns + strings.Repeat("<a>", 10_000) + strings.Repeat("</a>", 10_000) + `</AdminOrg>`,
		"not UTF-8":        xmlns + "<FullName>\xff</FullName></AdminOrg>",
		"another charset":  `<?xml version="1.0" encoding="ISO-8859-1"?><AdminOrg name="acme"/>`,
		"no boolean":       xmlns + `<IsEnabled>perhaps</IsEnabled></AdminOrg>`,
		"no number":        xmlns + `<IsEnabled>true</IsEnabled><Settings><OrgGeneralSettings><StoredVmQuota>many</StoredVmQuota></OrgGeneralSettings></Settings></AdminOrg>`,
		"a huge number":    xmlns + `<IsEnabled>true</IsEnabled><Settings><OrgGeneralSettings><StoredVmQuota>99999999999999999999</StoredVmQuota></OrgGeneralSettings></Settings></AdminOrg>`,
		"a negative one":   xmlns + `<IsEnabled>true</IsEnabled><Settings><VAppLeaseSettings><StorageLeaseSeconds>-1</StorageLeaseSeconds></VAppLeaseSettings></Settings></AdminOrg>`,
		"no name":          `<AdminOrg><FullName>x</FullName><IsEnabled>true</IsEnabled></AdminOrg>`,
		"a long full name": xmlns + `<FullName>` + strings.Repeat("n", 5000) + `</FullName><IsEnabled>true</IsEnabled></AdminOrg>`,
		"1 MB":             `<AdminOrg name="` + strings.Repeat("n", 1<<20) + `"/>`,
		"a long name":      `<AdminOrg name="` + strings.Repeat("n", 100_000) + `"><IsEnabled>true</IsEnabled></AdminOrg>`,
	} {
		t.Run(name, func(t *testing.T) {
			for method, path := range map[string]string{"PUT": mine, "POST": "/api/admin/orgs"} {
				if method == "POST" && strings.Contains(body, `name="acme"`) && strings.HasSuffix(body, "</AdminOrg>") {
					body = strings.Replace(body, `name="acme"`, `name="unheard-of"`, 1)
				}
				a := c.do(method, path, c.provider, body, "Content-Type", "application/vnd.vmware.admin.organization+xml")
				if a.Status != http.StatusBadRequest || !strings.HasPrefix(a.Header.Get("Content-Type"), "application/vnd.vmware.vcloud.error+xml") {
					t.Errorf("%s: status %d %s\n%s", method, a.Status, a.Header.Get("Content-Type"), a.Body)
				}
			}
		})
	}
	if after := c.do("GET", mine, c.provider, "").Want(t, http.StatusOK); !bytes.Equal(before.Body, after.Body) {
		t.Errorf("before %s\nafter %s", before.Body, after.Body)
	}
	list := c.do("GET", "/cloudapi/1.0.0/orgs", c.provider, "").Want(t, http.StatusOK)
	if n := list.JSON(t)["resultTotal"]; n != 4.0 {
		t.Errorf("%v organizations, want 4", n)
	}
}

// Golden rule of VCD's SDKs: they look into these elements unasked.
func elementsAlways(t *testing.T, c *crowd) {
	made := c.do("POST", "/api/admin/orgs", c.provider, `<AdminOrg name="bare"><Settings/></AdminOrg>`, "Content-Type", "application/vnd.vmware.admin.organization+xml").
		Want(t, http.StatusCreated)
	for _, path := range []string{"Settings", "OrgGeneralSettings", "OrgLdapSettings", "VAppLeaseSettings", "VAppTemplateLeaseSettings",
		"OrgPasswordPolicySettings", "Users", "Groups", "Catalogs", "Vdcs", "Networks", "RightReferences", "RoleReferences"} {
		if !regexp.MustCompile(`<` + path + `[ >]`).Match(made.Body) {
			t.Errorf("there is no %s in\n%s", path, made.Body)
		}
	}
	found := c.do("GET", made.Header.Get("Location")[len(c.Client.Site("east").API):], c.provider, "", "Accept", "application/*+json").Want(t, http.StatusOK)
	var body map[string]any
	if err := json.Unmarshal(found.Body, &body); err != nil || body["users"].(map[string]any)["userReference"] == nil {
		t.Errorf("%v: an absent list in %s", err, found.Body)
	}
}

// A machine with a role that shows little sees little, and the elements still.
func rightsShow(t *testing.T, c *crowd) {
	c.do("POST", "/cloudapi/1.0.0/roles", c.admin, `{"name":"looker","description":""}`).Want(t, http.StatusCreated)
	role := c.do("GET", "/cloudapi/1.0.0/roles?filter=name==looker", c.admin, "").JSON(t)["values"].([]any)[0].(map[string]any)["id"].(string)
	right := c.do("GET", "/cloudapi/1.0.0/rights?filter=name==Organization:%20View", c.admin, "").JSON(t)["values"].([]any)[0].(map[string]any)
	c.do("POST", "/cloudapi/1.0.0/roles/"+role+"/rights", c.admin, `{"values":[{"name":"Organization: View","id":"`+right["id"].(string)+`"}]}`).Want(t, http.StatusOK)
	id := c.Client.Register(t, "east", "acme", c.admin, "looker", "bc2528fd-35c4-44e5-a55d-62e5c4bd9c99", "looker")
	looker, _ := c.Client.ConnectAs(t, "east", "acme", c.admin, id)
	a := c.do("GET", adminOrgs+string(c.org), looker, "", "Accept", "application/*+json").Want(t, http.StatusOK)
	for element, list := range map[string]string{"users": "userReference", "roleReferences": "roleReference", "rightReferences": "rightReference"} {
		if shown, ok := a.JSON(t)[element].(map[string]any)[list].([]any); !ok || len(shown) > 0 {
			t.Errorf("%s shows %v", element, shown)
		}
	}
	for _, path := range []string{"/api/query?type=user", "/api/query?type=role", "/cloudapi/1.0.0/auditTrail", "/api/tasksList/" + string(c.org)} {
		c.do("GET", path, looker, "").Want(t, http.StatusForbidden)
	}
}

// A provider acts in a tenant's organization, and there sees what is there.
func contextsNarrow(t *testing.T, c *crowd) {
	globex := strings.TrimPrefix(c.File.Site("east").Org("globex").ID, "urn:vcloud:org:")
	for _, tt := range []struct {
		name   string
		header []string
		want   int
	}{
		{"none", nil, http.StatusOK},
		{"its own", []string{"X-VMWARE-VCLOUD-AUTH-CONTEXT", "system"}, http.StatusOK},
		{"empty", []string{"X-VMWARE-VCLOUD-AUTH-CONTEXT", "", "X-VMWARE-VCLOUD-TENANT-CONTEXT", ""}, http.StatusOK},
		{"that organization", []string{"X-VMWARE-VCLOUD-TENANT-CONTEXT", "urn:vcloud:org:" + globex}, http.StatusOK},
		{"another", []string{"X-VMWARE-VCLOUD-TENANT-CONTEXT", string(c.org)}, http.StatusForbidden},
		{"two that disagree", []string{"X-VMWARE-VCLOUD-TENANT-CONTEXT", globex, "X-VMWARE-VCLOUD-AUTH-CONTEXT", "acme"}, http.StatusBadRequest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, path := range []string{"/api/org/" + globex, adminOrgs + globex, adminOrgs + globex + "/settings", "/cloudapi/1.0.0/orgs/urn:vcloud:org:" + globex} {
				if a := c.do("GET", path, c.provider, "", tt.header...); a.Status != tt.want {
					t.Errorf("%s: status %d, want %d\n%s", path, a.Status, tt.want, a.Body)
				}
			}
		})
	}
	own := c.do("GET", adminOrgs+string(c.org), c.admin, "", "X-VMWARE-VCLOUD-TENANT-CONTEXT", string(c.org), "X-VMWARE-VCLOUD-AUTH-CONTEXT", "acme")
	if plain := c.do("GET", adminOrgs+string(c.org), c.admin, ""); !bytes.Equal(own.Body, plain.Body) || own.Status != http.StatusOK {
		t.Errorf("a tenant's own context changes the answer: %s", own.Body)
	}
}

func queryPages(t *testing.T, c *crowd) {
	next := regexp.MustCompile(`<Link rel="nextPage" type="[^"]*" href="([^"]*)">`)
	name := regexp.MustCompile(`<OrgRecord [^>]* name="([^"]*)"`)
	var seen []string
	for url := c.Client.Site("east").API + "/api/query?type=organization&pageSize=1&sortAsc=name&filter=name!=x"; url != ""; {
		a := c.Client.Do(t, "GET", url, sitetest.Bearer(c.provider), nil).Want(t, http.StatusOK)
		for _, found := range name.FindAllSubmatch(a.Body, -1) {
			seen = append(seen, string(found[1]))
		}
		url = ""
		if link := next.FindSubmatch(a.Body); link != nil {
			url = strings.ReplaceAll(string(link[1]), "&amp;", "&")
		}
	}
	if got := strings.Join(seen, " "); len(seen) != 4 || !strings.Contains(got, "System") || !strings.Contains(got, "globex") {
		t.Errorf("the pages hold %q", seen)
	}
}
