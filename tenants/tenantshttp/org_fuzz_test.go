package tenantshttp

import (
	"bytes"
	"encoding/xml"
	"net/http/httptest"
	"strings"
	"testing"

	"causeway/internal/httpapi"
	"causeway/tenants"
)

// What a client may write of an organization comes back as it was understood.
func FuzzAdminOrg(f *testing.F) {
	const xmlns = ` xmlns="http://www.vmware.com/vcloud/v1.5"`
	for _, seed := range []string{
		`<AdminOrg` + xmlns + ` name="acme"><FullName>a &amp; b</FullName><IsEnabled>true</IsEnabled></AdminOrg>`,
		`<AdminOrg name="a"><Settings><OrgGeneralSettings><StoredVmQuota>3</StoredVmQuota></OrgGeneralSettings><OrgLdapSettings/></Settings></AdminOrg>`,
		`<AdminOrg name="a"><Settings><OrgPasswordPolicySettings><InvalidLoginsBeforeLockout>3</InvalidLoginsBeforeLockout></OrgPasswordPolicySettings></Settings></AdminOrg>`,
		`<AdminOrg/>`, `{"name":"x"}`, "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		given, ok := parseAdminOrg(body)
		if !ok {
			return
		}
		var o tenants.Organization
		given.apply(&o)
		shown := adminOrgBody{Name: o.Name, Description: o.Description, FullName: o.DisplayName, IsEnabled: o.Enabled}
		shown.Settings.show(o.Settings)
		text, err := xml.Marshal(shown)
		if err != nil {
			t.Fatal(err)
		}
		again, ok := parseAdminOrg(string(text))
		if !ok {
			t.Fatalf("%q was read and shown as %s, which cannot be read", body, text)
		}
		var back tenants.Organization
		again.apply(&back)
		back.Settings.Passwords, o.Settings.Passwords = tenants.PasswordPolicy{}, tenants.PasswordPolicy{} // shown with what counts where they are 0
		if normal(back) != normal(o) {
			t.Errorf("%q was read as\n%+v and came back as\n%+v", body, o, back)
		}
	})
}

func parseAdminOrg(body string) (b adminOrgBody, ok bool) {
	r := httptest.NewRequest("PUT", "/api/admin/org/x", bytes.NewBufferString(body))
	return b, httpapi.ParseBody(r, &b) == nil
}

// normal takes off what XML itself makes alike: every line break is one.
func normal(o tenants.Organization) tenants.Organization {
	for _, text := range []*string{&o.Name, &o.DisplayName, &o.Description, &o.Settings.LdapMode, &o.Settings.LdapCustomUsersOU} {
		*text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(*text)
	}
	return o
}
