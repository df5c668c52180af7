package tenantshttp_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/sitetest"
	"causeway/tenants"
)

const users = "/cloudapi/1.0.0/users"

// crowd is east's acme with somebody in it, and those who have to do with them.
type crowd struct {
	*sitetest.Pair
	t               *testing.T
	admin, provider string // access tokens
	org             tenants.OrgID
	roles           map[string]string // UUIDs by name
}

func eachCrowd(t *testing.T, f func(t *testing.T, c *crowd)) {
	t.Helper()
	sitetest.Each(t, func(t *testing.T, p *sitetest.Pair) {
		c := &crowd{Pair: p, t: t, roles: map[string]string{}}
		c.admin, c.provider = p.Client.Login(t, "east", "acme"), p.Client.Login(t, "east", sitetest.System)
		c.org = tenants.OrgID(strings.TrimPrefix(p.File.Site("east").Org("acme").ID, "urn:vcloud:org:"))
		list := p.Client.Get(t, "east", "/cloudapi/1.0.0/roles?pageSize=128", sitetest.Bearer(c.admin)).Want(t, http.StatusOK)
		for _, v := range list.JSON(t)["values"].([]any) {
			role := v.(map[string]any)
			c.roles[role["name"].(string)] = strings.TrimPrefix(role["id"].(string), "urn:vcloud:role:")
		}
		f(t, c)
	})
}

func (c *crowd) do(method, path, token, body string, header ...string) sitetest.Answer {
	c.t.Helper()
	return c.Client.Do(c.t, method, c.Client.Site("east").API+path, sitetest.Bearer(token, header...), strings.NewReader(body))
}

func (c *crowd) body(name, role string) string {
	return fmt.Sprintf(`{"username":%q,"password":"new_pass","roleEntityRefs":[{"id":"urn:vcloud:role:%s"}]}`, name, c.roles[role])
}

// hire makes a user and returns the bare id.
func (c *crowd) hire(name, role string) string {
	c.t.Helper()
	urn := c.do("POST", users, c.admin, c.body(name, role)).Want(c.t, http.StatusCreated).String(c.t, "id")
	return strings.TrimPrefix(urn, "urn:vcloud:user:")
}

func (c *crowd) login(name, password string) sitetest.Answer {
	c.t.Helper()
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(name+"@acme", password)
	return c.Client.Do(c.t, "POST", c.Client.Site("east").API+"/cloudapi/1.0.0/sessions", r.Header, nil)
}

func (c *crowd) token(name string) string {
	c.t.Helper()
	return c.login(name, "new_pass").Want(c.t, http.StatusOK).Header.Get("X-VMWARE-VCLOUD-ACCESS-TOKEN")
}

// all is every user of acme as the OpenAPI shows them.
func (c *crowd) all() string {
	c.t.Helper()
	return string(c.do("GET", users+"?pageSize=128", c.admin, "").Want(c.t, http.StatusOK).Body)
}

// A service account looks at people and never touches them, though its role is
// the administrator's.
func TestUsers_VCD31_VCD34_MachinesOnlyLook(t *testing.T) {
	t.Parallel()
	eachCrowd(t, func(t *testing.T, c *crowd) {
		id := c.Client.Register(t, "east", "acme", c.admin, "mighty", tenants.NewID(), tenants.OrganizationAdministrator)
		bot, _ := c.Client.ConnectAs(t, "east", "acme", c.admin, id)
		ada := c.hire("ada", "vApp Author")
		before := c.all()
		for _, path := range []string{users, users + "/urn:vcloud:user:" + ada, "/api/admin/user/" + ada} {
			c.do("GET", path, bot, "").Want(t, http.StatusOK)
		}
		xml := fmt.Sprintf(`<User name="ada"><Role href="https://h/api/admin/role/%s"/></User>`, c.roles["vApp User"])
		for _, call := range [][3]string{
			{"POST", users, c.body("eve", "vApp User")},
			{"PUT", users + "/" + ada, c.body("ada", "vApp User")},
			{"DELETE", users + "/" + ada, ""},
			{"POST", users + "/" + ada + "/changePassword", `{"currentPassword":"new_pass","newPassword":"newer_pass"}`},
			{"POST", users + "/" + id + "/changePassword", `{"currentPassword":"new_pass","newPassword":"newer_pass"}`},
			{"POST", "/api/admin/org/" + string(c.org) + "/users", xml},
			{"PUT", "/api/admin/user/" + ada, xml},
			{"DELETE", "/api/admin/user/" + ada, ""},
			{"POST", "/api/admin/user/" + ada + "/action/takeOwnership", ""},
			{"POST", "/api/admin/user/" + ada + "/action/unlock", ""},
			{"POST", "/api/admin/user/" + ada + "/action/enable", ""},
			{"POST", "/api/admin/user/" + ada + "/action/disable", ""},
		} {
			if a := c.do(call[0], call[1], bot, call[2]); a.Status != http.StatusForbidden {
				t.Errorf("%s %s: %d\n%s", call[0], call[1], a.Status, a.Body)
			}
		}
		if after := c.all(); after != before {
			t.Errorf("before %s\nafter %s", before, after)
		}
		c.login("ada", "new_pass").Want(t, http.StatusOK)
	})
}

// Whoever may manage users, but not all that an administrator may, gets no
// administrator's user and makes none; a withdrawn right counts at once.
func TestUsers_R7_OverTheWire(t *testing.T) {
	t.Parallel()
	eachCrowd(t, func(t *testing.T, c *crowd) {
		clerkRole := c.do("POST", "/cloudapi/1.0.0/roles", c.admin, `{"name":"Clerk"}`).Want(t, http.StatusCreated).String(t, "id")
		c.roles["Clerk"] = strings.TrimPrefix(clerkRole, "urn:vcloud:role:")
		var refs []string
		for _, name := range []tenants.Right{tenants.RightUserManage, tenants.RightUserView} {
			info, _ := tenants.LookUpRight(name)
			refs = append(refs, fmt.Sprintf(`{"name":%q,"id":"urn:vcloud:right:%s"}`, name, info.ID()))
		}
		rights := `{"values":[` + strings.Join(refs, ",") + `]}`
		c.do("PUT", "/cloudapi/1.0.0/roles/"+clerkRole+"/rights", c.admin, rights).Want(t, http.StatusOK)
		id := c.hire("clerk", "Clerk")
		clerk := c.token("clerk")
		boss := c.hire("boss", tenants.OrganizationAdministrator)
		before := c.all()
		for _, call := range [][3]string{
			{"POST", users, c.body("eve", tenants.OrganizationAdministrator)},
			{"PUT", users + "/" + boss, c.body("boss", tenants.OrganizationAdministrator)}, // a password
			{"PUT", users + "/" + id, c.body("clerk", tenants.OrganizationAdministrator)},
			{"POST", "/api/admin/user/" + boss + "/action/disable", ""},
			{"DELETE", "/api/admin/user/" + boss, ""},
			{"DELETE", "/api/admin/user/" + id, ""}, // oneself
		} {
			if a := c.do(call[0], call[1], clerk, call[2]); a.Status != http.StatusForbidden {
				t.Errorf("%s %s: %d\n%s", call[0], call[1], a.Status, a.Body)
			}
		}
		if after := c.all(); after != before {
			t.Errorf("before %s\nafter %s", before, after)
		}
		peer := c.do("POST", users, clerk, c.body("peer", "Clerk")).Want(t, http.StatusCreated).String(t, "id")
		c.do("PUT", users+"/"+peer, c.admin, strings.Replace(c.body("peer", "vApp User"), `"password":"new_pass",`, "", 1)).Want(t, http.StatusOK)

		session := c.token("peer") // the role follows the user within the session
		c.do("GET", users, session, "").Want(t, http.StatusForbidden)
		c.do("PUT", users+"/"+peer, c.admin, strings.Replace(c.body("peer", "Clerk"), `"password":"new_pass",`, "", 1)).Want(t, http.StatusOK)
		c.do("GET", users, session, "").Want(t, http.StatusOK)
	})
}

// A provider creates and reaches users by id or by context, and nothing beside
// the organization that both name.
func TestUsers_R6_Contexts(t *testing.T) {
	t.Parallel()
	eachCrowd(t, func(t *testing.T, c *crowd) {
		const context = "X-VMWARE-VCLOUD-TENANT-CONTEXT"
		globex := strings.TrimPrefix(c.File.Site("east").Org("globex").ID, "urn:vcloud:org:")
		made := c.do("POST", users, c.provider, c.body("ada", "vApp User"), context, string(c.org)).Want(t, http.StatusCreated)
		id := made.String(t, "id")
		if org := made.JSON(t)["orgEntityRef"].(map[string]any)["id"]; org != "urn:vcloud:org:"+string(c.org) {
			t.Errorf("made in %v", org)
		}
		c.do("GET", users+"/"+id, c.provider, "").Want(t, http.StatusOK)
		c.do("GET", users+"/"+id, c.provider, "", context, string(c.org)).Want(t, http.StatusOK)
		c.do("GET", users+"/"+id, c.admin, "", context, string(c.org)).Want(t, http.StatusOK)
		absent := users + "/urn:vcloud:user:" + tenants.NewID()
		for _, path := range []string{users + "/" + id, absent} {
			c.do("GET", path, c.provider, "", context, globex).Want(t, http.StatusForbidden)
			c.do("DELETE", path, c.provider, "", context, globex).Want(t, http.StatusForbidden)
		}
		c.do("GET", absent, c.provider, "").Want(t, http.StatusForbidden)
		xml := fmt.Sprintf(`<User name="eve"><Role href="https://h/api/admin/role/%s"/><Password>new_pass</Password></User>`, c.roles["vApp User"])
		c.do("POST", "/api/admin/org/"+string(c.org)+"/users", c.provider, xml, context, globex).Want(t, http.StatusForbidden)
		c.do("POST", "/api/admin/org/"+tenants.NewID()+"/users", c.provider, xml).Want(t, http.StatusForbidden)
		c.do("POST", "/api/admin/org/"+string(c.org)+"/users", c.provider, xml).Want(t, http.StatusCreated)
	})
}

var requestID = regexp.MustCompile(`\[ [0-9a-f-]+ \]`)

// A lock-out looks like a wrong password, shows to administrators, and ends by a
// PUT as the SDK sends it, which leaves out what is false.
func TestUsers_R5_Lockout(t *testing.T) {
	t.Parallel()
	eachCrowd(t, func(t *testing.T, c *crowd) {
		ada := c.hire("ada", "vApp User")
		c.lockOut(2)
		wrong := c.login("ada", "wrong_pass").Want(t, http.StatusUnauthorized)
		c.login("ada", "wrong_pass").Want(t, http.StatusUnauthorized)
		locked := c.login("ada", "new_pass").Want(t, http.StatusUnauthorized)
		unknown := c.login("nobody", "new_pass").Want(t, http.StatusUnauthorized)
		for _, a := range []sitetest.Answer{locked, unknown} {
			if got, want := requestID.ReplaceAllString(string(a.Body), ""), requestID.ReplaceAllString(string(wrong.Body), ""); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		seen := c.do("GET", "/api/admin/user/"+ada, c.admin, "").Want(t, http.StatusOK)
		if !strings.Contains(string(seen.Body), "<IsLocked>true</IsLocked>") {
			t.Errorf("%s", seen.Body)
		}
		list := c.do("GET", users+"?filter=locked==true", c.admin, "").Want(t, http.StatusOK)
		if n := list.JSON(t)["resultTotal"]; n != 1.0 {
			t.Errorf("%v users are locked", n)
		}
		still := strings.Replace(string(seen.Body), "<FullName></FullName>", "<FullName>Ada</FullName>", 1)
		c.do("PUT", "/api/admin/user/"+ada, c.admin, still).Want(t, http.StatusOK)
		c.login("ada", "new_pass").Want(t, http.StatusUnauthorized)
		open := strings.Replace(still, "<IsLocked>true</IsLocked>", "", 1)
		c.do("PUT", "/api/admin/user/"+ada, c.admin, open).Want(t, http.StatusOK)
		c.login("ada", "new_pass").Want(t, http.StatusOK)
	})
}

// lockOut makes acme lock out after so many wrong passwords.
func (c *crowd) lockOut(attempts int) {
	c.t.Helper()
	err := c.Site("east").DB().Tenants().InTx(c.t.Context(), func(tx tenants.Tx) error {
		o, err := tx.Organization(c.org)
		if err != nil {
			return err
		}
		o.Settings.Passwords = tenants.PasswordPolicy{LockoutEnabled: true, InvalidLogins: attempts}
		if err := tx.UpdateOrganization(o); err != nil {
			return err
		}
		return tx.Record(journal.Entry{
			At: time.Now(), Org: string(o.ID), Actor: journal.System, Action: journal.OrganizationUpdated,
			Subject: journal.Subject{Kind: journal.KindOrganization, ID: string(o.ID), Name: o.Name},
		})
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

// TestUsers_R9_R12_HostileBodies: every one of them is a 400 that repeats no
// password, and nothing changes.
func TestUsers_R9_R12_HostileBodies(t *testing.T) {
	t.Parallel()
	eachCrowd(t, func(t *testing.T, c *crowd) {
		ada := c.hire("ada", "vApp User")
		before := c.all()
		role := "https://h/api/admin/role/" + c.roles["vApp User"]
		for _, body := range []string{
			``, `{}`, `[]`, `null`, `"a"`, `{"username":1}`, `{"username":"eve"`, "{\"username\":\"\xff\"}", strings.Repeat("[", 100_000),
			`{"username":"eve","password":"s3cret","roleEntityRefs":[]}`,
			`{"username":"eve","password":"s3cret_pass","roleEntityRefs":[{"id":"urn:vcloud:user:` + ada + `"}]}`,
			`{"username":"eve","password":"s3cret","roleEntityRefs":[{"id":"` + c.roles["vApp User"] + `"}]}`, // short
			`{"username":"eve","password":["s3cret_pass"],"roleEntityRefs":[{"id":"` + c.roles["vApp User"] + `"}]}`,
			`{"username":"eve","password":"s3cret_pass","providerType":"INTEGRATED","roleEntityRefs":[{"id":"` + c.roles["vApp User"] + `"}]}`,
			`{"username":"eve","password":"s3cret_pass","storedVmQuota":1e99,"roleEntityRefs":[{"id":"` + c.roles["vApp User"] + `"}]}`,
			`{"username":"e/ve","password":"s3cret_pass","roleEntityRefs":[{"id":"` + c.roles["vApp User"] + `"}]}`,
			`{"username":"` + strings.Repeat("a", 1<<20) + `"}`,
		} {
			for _, call := range [][2]string{{"POST", users}, {"PUT", users + "/" + ada}} {
				c.refused(call[0], call[1], body)
			}
		}
		for _, body := range []string{
			``, `<User/>`, `<Users name="eve"/>`, `<User name="eve"`, "<User name=\"\xff\"/>", strings.Repeat("<User>", 10_000),
			`<!DOCTYPE User [<!ENTITY a "b">]><User name="&a;"><Role href="` + role + `"/><Password>s3cret_pass</Password></User>`,
			`<User name="eve"><IsEnabled>perhaps</IsEnabled><Role href="` + role + `"/><Password>s3cret_pass</Password></User>`,
			`<User name="eve"><StoredVmQuota>99999999999</StoredVmQuota><Role href="` + role + `"/><Password>s3cret_pass</Password></User>`,
			`<User name="eve"><Role href="https://h/api/admin/role/"/><Password>s3cret_pass</Password></User>`,
			`<User name="eve"><Role href="https://h/api/admin/role/` + tenants.NewID() + `"/><Password>s3cret_pass</Password></User>`,
			`<User name="eve"><Role href="` + role + `"/><Password>s3cret</Password></User>`,
			`<User name="eve"><ProviderType>SAML</ProviderType><Role href="` + role + `"/><Password>s3cret_pass</Password></User>`,
			`<User name="eve"><ProviderType>LOCAL</ProviderType><Role href="` + role + `"/><Password>s3cret_pass</Password></User>`,
			`<User name="eve"><FullName>` + strings.Repeat("a", 1<<20) + `</FullName></User>`,
		} {
			c.refused("POST", "/api/admin/org/"+string(c.org)+"/users", body)
			if body != `<User/>` { // of which an update makes a disabled user without texts
				c.refused("PUT", "/api/admin/user/"+ada, body)
			}
		}
		for _, path := range []string{users + "/ada", "/api/admin/user/ada", "/api/admin/user/urn:vcloud:role:" + ada, users + "?pageSize=0", users + "?filter=username"} {
			if a := c.do("GET", path, c.admin, ""); a.Status != http.StatusBadRequest {
				t.Errorf("%s: %d", path, a.Status)
			}
		}
		if after := c.all(); after != before {
			t.Errorf("before %s\nafter %s", before, after)
		}
	})
}

func (c *crowd) refused(method, path, body string) {
	c.t.Helper()
	media := "application/json"
	if strings.HasPrefix(path, "/api/") {
		media = "application/vnd.vmware.admin.user+xml"
	}
	a := c.do(method, path, c.admin, body, "Content-Type", media)
	if a.Status != http.StatusBadRequest {
		c.t.Errorf("%s %s with %.80q: %d %s", method, path, body, a.Status, a.Body)
	}
	if strings.Contains(string(a.Body), "s3cret") {
		c.t.Errorf("the answer repeats the password: %s", a.Body)
	}
}
