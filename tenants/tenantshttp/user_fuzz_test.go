package tenantshttp

import (
	"encoding/xml"
	"net/http/httptest"
	"strings"
	"testing"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/tenants"
)

const aRole = "11111111-1111-4111-8111-111111111111"

// FuzzUser: whatever a client sends as a user is a user or a problem of the
// client's, and what XML shows of a user is read back as the same.
func FuzzUser(f *testing.F) {
	for _, seed := range []string{
		`{"username":"ada","roleEntityRefs":[{"id":"urn:vcloud:role:` + aRole + `"}],"providerType":"LOCAL","enabled":null}`,
		`<User xmlns="http://www.vmware.com/vcloud/v1.5" name="ada"><IsEnabled>true</IsEnabled><IsExternal/><Role href="https://h/` + aRole + `"/></User>`,
		`<User name="a"><ProviderType>SAML</ProviderType><StoredVmQuota>-1</StoredVmQuota></User>`, `{}`, ``,
	} {
		f.Add(seed)
	}
	h := &Handler{PublicURL: "https://east.example"}
	org := tenants.Compile(tenants.Organization{ID: "o"}, []tenants.Role{{ID: aRole, Name: "Role"}}, nil)
	f.Fuzz(func(t *testing.T, body string) {
		var u tenants.User
		if in, err := parseUser(httptest.NewRequest("POST", "/", strings.NewReader(body))); err == nil {
			in.change(&u)
			newUserBody(org, u)
		} else if !problem.Has(err, problem.BadRequest) {
			t.Errorf("%q: %v", body, err)
		}
		r := httptest.NewRequest("POST", "/api/", strings.NewReader(body))
		in, err := parseUserXML(r)
		if err != nil {
			if !problem.Has(err, problem.BadRequest) {
				t.Errorf("%q: %v", body, err)
			}
			return
		}
		in.change(&u)
		u.Role = aRole
		echo(t, h, org, u)
	})
}

func echo(t *testing.T, h *Handler, org *tenants.Snapshot, u tenants.User) {
	t.Helper()
	shown, err := xml.Marshal(h.newUserXML(httpapi.Call{Org: org}, org, u))
	if err != nil {
		t.Fatal(err)
	}
	again, err := parseUserXML(httptest.NewRequest("PUT", "/api/", strings.NewReader(string(shown))))
	if err != nil {
		t.Fatalf("%v in\n%s", err, shown)
	}
	same := tenants.User{Role: u.Role, Profile: tenants.Profile{GivenName: u.Profile.GivenName, FamilyName: u.Profile.FamilyName, InheritGroupRoles: u.Profile.InheritGroupRoles}}
	again.change(&same)
	same.Profile.External, u.Profile.External = false, false // of a directory's users it is shown whatever is kept
	if same != u {
		t.Errorf("%+v\nis read back as %+v\nfrom %s", u, same, shown)
	}
}
