package tenantshttp_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"causeway/tenants"
)

// person has a role of that name in acme, with these rights, and is logged in.
func (c *crowd) person(name string, rights ...tenants.Right) string {
	c.t.Helper()
	role := c.do("POST", "/cloudapi/1.0.0/roles", c.admin, `{"name":"`+name+`"}`).Want(c.t, http.StatusCreated).String(c.t, "id")
	c.roles[name] = strings.TrimPrefix(role, "urn:vcloud:role:")
	var refs []string
	for _, name := range rights {
		info, _ := tenants.LookUpRight(name)
		refs = append(refs, fmt.Sprintf(`{"name":%q,"id":"urn:vcloud:right:%s"}`, name, info.ID()))
	}
	c.do("PUT", "/cloudapi/1.0.0/roles/"+role+"/rights", c.admin, `{"values":[`+strings.Join(refs, ",")+`]}`).Want(c.t, http.StatusOK)
	c.hire(name, name)
	return c.token(name)
}

// The routes let in whoever may change some part; the whole object sent back
// with another part changed is refused, and nothing happens.
func narrowRights(t *testing.T, c *crowd) {
	keeper := c.person("keeper", tenants.RightOrganizationView, tenants.RightOrganizationPasswords)
	mine := adminOrgs + string(c.org)
	c.do("PUT", mine+"/settings/passwordPolicy", keeper, `<OrgPasswordPolicySettings/>`, "Content-Type", "application/*+xml").Want(t, http.StatusOK)
	read := c.do("GET", mine, keeper, "").Want(t, http.StatusOK)
	with := func(old, new string) string {
		t.Helper()
		if !bytes.Contains(read.Body, []byte(old)) {
			t.Fatalf("there is no %s in %s", old, read.Body)
		}
		return strings.Replace(string(read.Body), old, new, 1)
	}
	// The usual numbers of the policy, shown and sent back, are no change of it.
	lender := c.person("lender", tenants.RightOrganizationView, tenants.RightOrganizationLeases)
	c.do("PUT", mine, lender, with("<StorageLeaseSeconds>0", "<StorageLeaseSeconds>1"), "Content-Type", "application/*+xml").Want(t, http.StatusOK)
	c.do("PUT", mine, lender, string(read.Body), "Content-Type", "application/*+xml").Want(t, http.StatusOK)
	put := func(path, body string) int {
		return c.do("PUT", path, keeper, body, "Content-Type", "application/*+xml").Status
	}
	if got := put(mine, string(read.Body)); got != http.StatusOK {
		t.Errorf("the object sent back: status %d", got)
	}
	for name, body := range map[string]string{
		"quotas": with("<StoredVmQuota>0", "<StoredVmQuota>1"),
		"lease":  with("<StorageLeaseSeconds>0", "<StorageLeaseSeconds>1"),
		"ldap":   with("<OrgLdapMode>NONE", "<OrgLdapMode>SYSTEM"),
		"text":   with("<Description></Description>", "<Description>x</Description>"),
	} {
		if got := put(mine, body); got != http.StatusForbidden {
			t.Errorf("%s: status %d", name, got)
		}
	}
	for path, body := range map[string]string{
		"/settings/general":                   `<OrgGeneralSettings><StoredVmQuota>1</StoredVmQuota></OrgGeneralSettings>`,
		"/settings/vAppLeaseSettings":         `<VAppLeaseSettings><StorageLeaseSeconds>1</StorageLeaseSeconds></VAppLeaseSettings>`,
		"/settings/vAppTemplateLeaseSettings": `<VAppTemplateLeaseSettings><StorageLeaseSeconds>1</StorageLeaseSeconds></VAppTemplateLeaseSettings>`,
		"/settings/ldap":                      `<OrgLdapSettings><OrgLdapMode>SYSTEM</OrgLdapMode></OrgLdapSettings>`,
		"/settings":                           `<OrgSettings><OrgLdapSettings><OrgLdapMode>SYSTEM</OrgLdapMode></OrgLdapSettings></OrgSettings>`,
	} {
		if got := put(mine+path, body); got != http.StatusForbidden {
			t.Errorf("%s: status %d", path, got)
		}
	}
	if after := c.do("GET", mine, keeper, "").Want(t, http.StatusOK); !bytes.Equal(after.Body, read.Body) {
		t.Errorf("before %s\nafter %s", read.Body, after.Body)
	}
	if got := put(mine, with("<InvalidLoginsBeforeLockout>5", "<InvalidLoginsBeforeLockout>7")); got != http.StatusOK {
		t.Errorf("its own part: status %d", got)
	}
	if got := put(mine+"/settings/passwordPolicy", `<OrgPasswordPolicySettings/>`); got != http.StatusOK {
		t.Errorf("its own part: status %d", got)
	}
	a := c.do("POST", mine+"/action/disable", keeper, "")
	if a.Status != http.StatusForbidden {
		t.Errorf("disable: status %d", a.Status)
	}
}

// An OpenAPI body that says nothing of isEnabled and canPublish changes neither.
func TestOrganizations_AbsentSwitchesStayAsTheyAre(t *testing.T) {
	t.Parallel()
	eachCrowd(t, func(t *testing.T, c *crowd) {
		const orgs = "/cloudapi/1.0.0/orgs"
		made := c.do("POST", orgs, c.provider, `{"name":"quiet"}`).Want(t, http.StatusCreated)
		if got := made.JSON(t); got["isEnabled"] != true || got["canPublish"] != false {
			t.Errorf("made %s", made.Body)
		}
		if off := c.do("POST", orgs, c.provider, `{"name":"off","isEnabled":false}`).Want(t, http.StatusCreated).JSON(t); off["isEnabled"] != false {
			t.Errorf("made %v", off)
		}
		one := orgs + "/urn:vcloud:org:" + string(c.org)
		c.do("PUT", one, c.provider, `{"name":"acme","canPublish":true}`).Want(t, http.StatusOK)
		got := c.do("PUT", one, c.provider, `{"name":"acme","displayName":"Acme","isEnabled":null}`).Want(t, http.StatusOK).JSON(t)
		if got["isEnabled"] != true || got["canPublish"] != true || got["displayName"] != "Acme" {
			t.Errorf("updated to %v", got)
		}
		c.do("GET", "/api/org", c.admin, "").Want(t, http.StatusOK) // its sessions live
		if off := c.do("PUT", one, c.provider, `{"name":"acme","isEnabled":false}`).Want(t, http.StatusOK).JSON(t); off["isEnabled"] != false || off["canPublish"] != true {
			t.Errorf("disabled: %v", off)
		}
		if still := c.do("PUT", one, c.provider, `{"name":"acme"}`).Want(t, http.StatusOK).JSON(t); still["isEnabled"] != false {
			t.Errorf("an update enabled it: %v", still)
		}
		for _, body := range []string{`{"name":"acme","isEnabled":"yes"}`, `{"name":"acme","canPublish":1}`, `null`} {
			c.do("PUT", one, c.provider, body).Want(t, http.StatusBadRequest)
			c.do("POST", orgs, c.provider, body).Want(t, http.StatusBadRequest)
		}
	})
}
