package tenantshttp_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"causeway/tenants"
)

const sessions = "/cloudapi/1.0.0/sessions"

// None of these needs a site of its own.
func TestOversight(t *testing.T) {
	t.Parallel()
	eachCrowd(t, func(t *testing.T, c *crowd) {
		for _, part := range []struct {
			name string
			test func(*testing.T, *crowd)
		}{
			{"R7 managers of users end nobody's session", managersEndNoSessions},
			{"users are seen by who manages them", managersSee},
			{"users by who checks their password", usersByProvider},
			{"R6 addresses of the provider's people", providersAddresses},
			{"hrefs of roles lead to them", roleHrefs},
		} {
			t.Run(part.name, func(t *testing.T) {
				within := *c
				within.t = t
				part.test(t, &within)
			})
		}
	})
}

// A session is as mighty as its owner: whoever manages users may do less.
func managersEndNoSessions(t *testing.T, c *crowd) {
	clerk := c.person("clerk", tenants.RightUserView, tenants.RightUserManage)
	boss := c.do("GET", sessions+"/current", c.admin, "").Want(t, http.StatusOK).String(t, "id")
	c.do("GET", sessions+"/"+boss, clerk, "").Want(t, http.StatusOK)
	c.do("DELETE", sessions+"/"+boss, clerk, "").Want(t, http.StatusForbidden)
	c.do("GET", sessions+"/"+boss, c.admin, "").Want(t, http.StatusOK)

	warden := c.person("warden", tenants.RightSessionManage)
	own := c.do("GET", sessions+"/current", clerk, "").Want(t, http.StatusOK).String(t, "id")
	c.do("DELETE", sessions+"/"+own, warden, "").Want(t, http.StatusNoContent)
	c.do("GET", sessions+"/current", clerk, "").Want(t, http.StatusUnauthorized)
	own = c.do("GET", sessions+"/current", warden, "").Want(t, http.StatusOK).String(t, "id")
	c.do("DELETE", sessions+"/"+own, warden, "").Want(t, http.StatusNoContent)
}

func managersSee(t *testing.T, c *crowd) {
	manager := c.person("manager", tenants.RightUserManage)
	ada := c.hire("ada", "vApp User")
	for _, path := range []string{users, users + "/urn:vcloud:user:" + ada, "/api/admin/user/" + ada, "/api/query?type=user"} {
		c.do("GET", path, manager, "").Want(t, http.StatusOK)
	}
	stranger := c.person("stranger", tenants.RightOrganizationView)
	for _, path := range []string{users, users + "/urn:vcloud:user:" + ada, "/api/admin/user/" + ada, "/api/query?type=user"} {
		c.do("GET", path, stranger, "").Want(t, http.StatusForbidden)
	}
}

// What is sorted by is what is shown, not what is kept: INTEGRATED is LOCAL here.
func usersByProvider(t *testing.T, c *crowd) {
	for name, provider := range map[string]string{"lea": "LDAP", "sam": "SAML", "oda": "OAUTH", "lou": "LOCAL"} {
		body := strings.Replace(c.body(name, "vApp User"), `"password":"new_pass"`, `"providerType":"`+provider+`"`, 1)
		if provider == "LOCAL" {
			body = c.body(name, "vApp User")
		}
		c.do("POST", users, c.admin, body).Want(t, http.StatusCreated)
	}
	shown := func(query string) (list []string) {
		for _, v := range c.do("GET", users+"?pageSize=128&"+query, c.admin, "").Want(t, http.StatusOK).JSON(t)["values"].([]any) {
			list = append(list, v.(map[string]any)["providerType"].(string))
		}
		return list
	}
	up, down := shown("sortAsc=providerType"), shown("sortDesc=providerType")
	slices.Reverse(down)
	if !slices.IsSorted(up) || !slices.Equal(up, down) || !slices.Equal(slices.Compact(slices.Clone(up)), []string{"LDAP", "LOCAL", "OAUTH", "SAML"}) {
		t.Errorf("sorted: %q, and the other way round %q", up, down)
	}
	if got := shown("filter=providerType!=LOCAL&sortAsc=providerType"); !slices.Equal(got, []string{"LDAP", "OAUTH", "SAML"}) {
		t.Errorf("all but local ones: %q", got)
	}
}

// A tenant sees what the provider did in its organization, and not from where.
func providersAddresses(t *testing.T, c *crowd) {
	mine := "/cloudapi/1.0.0/orgs/urn:vcloud:org:" + string(c.org)
	c.do("PUT", mine, c.provider, `{"name":"acme","displayName":"by the provider"}`).Want(t, http.StatusOK)
	c.do("PUT", mine, c.admin, `{"name":"acme","displayName":"by ourselves"}`).Want(t, http.StatusOK)
	addresses := func(token string, header ...string) map[string]string {
		t.Helper()
		found := map[string]string{}
		list := c.do("GET", "/cloudapi/1.0.0/auditTrail?filter=eventType==organization.updated", token, "", header...).Want(t, http.StatusOK)
		for _, v := range list.JSON(t)["values"].([]any) {
			more := v.(map[string]any)["additionalProperties"].(map[string]any)
			found[more["detail.displayName.new"].(string)] = more["currentContext.user.clientIpAddress"].(string)
		}
		return found
	}
	ours := addresses(c.admin)
	if address, ok := ours["by the provider"]; !ok || address != "" {
		t.Errorf("a tenant sees the provider at %q (%v)", address, ok)
	}
	if ours["by ourselves"] == "" {
		t.Error("a tenant does not see where its own people are")
	}
	if theirs := addresses(c.provider, "X-VMWARE-VCLOUD-TENANT-CONTEXT", string(c.org)); theirs["by the provider"] == "" || theirs["by ourselves"] == "" {
		t.Errorf("the provider sees %q", theirs)
	}
}

// Whoever is shown a role can read it where its href says.
func roleHrefs(t *testing.T, c *crowd) {
	ada := c.hire("local", "vApp User")
	c.person("a role of its own", tenants.RightOrganizationView)
	roles := regexp.MustCompile(`<Role(?:Reference)? href="([^"]+)"`)
	api := c.Client.Site("east").API
	for name, token := range map[string]string{"the provider": c.provider, "the tenant": c.admin} {
		for _, path := range []string{adminOrgs + string(c.org), "/api/admin/user/" + ada} {
			a := c.do("GET", path, token, "").Want(t, http.StatusOK)
			found := roles.FindAllSubmatch(a.Body, -1)
			if len(found) == 0 {
				t.Fatalf("%s: no roles in %s", name, a.Body)
			}
			for _, href := range found {
				role := c.do("GET", strings.TrimPrefix(string(href[1]), api), token, "")
				if role.Status != http.StatusOK || !strings.Contains(string(role.Body), string(href[1])) {
					t.Errorf("%s, %s: status %d\n%s", name, href[1], role.Status, role.Body)
				}
			}
		}
	}
}
