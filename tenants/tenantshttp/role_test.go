package tenantshttp_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"causeway/internal/secret"
	"causeway/internal/sitetest"
	"causeway/tenants"
)

const api = "/cloudapi/1.0.0/"

type object = map[string]any

// client is somebody at east, who is in an organization or acts there.
type client struct {
	t      *testing.T
	c      *sitetest.Client
	header http.Header
}

func as(t *testing.T, p *sitetest.Pair, org string) client {
	t.Helper()
	return client{t, p.Client, sitetest.Bearer(p.Client.Login(t, "east", org))}
}

// do sends a request and wants a status.
func (c client) do(status int, method, path string, body any) object {
	c.t.Helper()
	text := ""
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			c.t.Fatal(err)
		}
		text = string(b)
	}
	a := c.c.Do(c.t, method, c.c.Site("east").API+api+path, c.header, strings.NewReader(text))
	if a.Status != status {
		c.t.Fatalf("%s %s: status %d, want %d\n%s", method, path, a.Status, status, a.Body)
	}
	if len(a.Body) == 0 {
		return nil
	}
	return a.JSON(c.t)
}

// list reads all pages, as SDKs do.
func (c client) list(path string) (all []object) {
	c.t.Helper()
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	for page := 1; ; page++ {
		got := c.do(200, "GET", fmt.Sprintf("%s%spageSize=100&page=%d", path, separator, page), nil)
		for _, v := range got["values"].([]any) {
			all = append(all, v.(object))
		}
		if float64(page) >= got["pageCount"].(float64) {
			if float64(len(all)) != got["resultTotal"].(float64) {
				c.t.Errorf("%s: %d of %v", path, len(all), got["resultTotal"])
			}
			return all
		}
	}
}

// refs refers to rights by name as the SDK does: it lists them all.
func (c client) refs(names ...string) object {
	c.t.Helper()
	values := []object{}
	for _, r := range c.list("rights/") {
		if slices.Contains(names, r["name"].(string)) {
			values = append(values, object{"name": r["name"], "id": r["id"]})
		}
	}
	if len(values) != len(names) {
		c.t.Fatalf("%d of the rights %q are there", len(values), names)
	}
	return object{"values": values}
}

func named(list []object) (names []string) {
	for _, o := range list {
		names = append(names, o["name"].(string))
	}
	slices.Sort(names)
	return names
}

// someone logs in a new person of an organization of east who holds a new role.
func someone(t *testing.T, p *sitetest.Pair, org string, rights ...tenants.Right) client {
	t.Helper()
	ctx, name := t.Context(), "u"+tenants.NewID()
	s, err := p.Site("east").Directory().ByName(ctx, org)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Site("east").Provisioner().CreateRole(ctx, tenants.Caller{}, s.ID, name, rights); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Site("east").Provisioner().CreateUser(ctx, tenants.Caller{}, s.ID, name, name, secret.Text("correct horse")); err != nil {
		t.Fatal(err)
	}
	path := api + "sessions"
	if s.System() {
		path += "/provider"
	}
	basic := base64.StdEncoding.EncodeToString([]byte(name + "@" + org + ":correct horse"))
	a := p.Client.Do(t, "POST", p.Client.Site("east").API+path, http.Header{"Authorization": {"Basic " + basic}}, nil).Want(t, 200)
	return client{t, p.Client, sitetest.Bearer(a.Header.Get("X-Vmware-Vcloud-Access-Token"))}
}

// What the SDK's tests do with a role: make it, give it rights with all that
// they imply, count, take them away, change it, delete it.
func TestRoles_AsTheSDKDoes(t *testing.T) {
	sitetest.Each(t, func(t *testing.T, p *sitetest.Pair) {
		acme := p.Client.Site("east").Org("acme").ID
		provider := as(t, p, "System")
		inAcme := client{t, p.Client, provider.header.Clone()}
		inAcme.header.Set("X-VMWARE-VCLOUD-TENANT-CONTEXT", acme[strings.LastIndexByte(acme, ':')+1:])
		inAcme.header.Set("X-VMWARE-VCLOUD-AUTH-CONTEXT", "acme")
		for _, tt := range []struct {
			name, path, kind string
			by               client
		}{
			{"a tenant's role", "roles/", "role", as(t, p, "acme")},
			{"a tenant's role, by the provider", "roles/", "role", inAcme},
			{"a role of the provider", "roles/", "role", provider},
			{"a global role", "globalRoles/", "globalRole", provider},
			{"a rights bundle", "rightsBundles/", "rightsBundle", provider},
		} {
			t.Run(tt.name, func(t *testing.T) {
				by := tt.by
				by.t = t
				made := object{"name": "test", "description": "<test> & \"more\"", "bundleKey": "com.vmware.vcloud.undefined.key", "readOnly": false}
				if tt.kind != "role" {
					made["publishAll"] = false
				}
				got := by.do(201, "POST", tt.path, made)
				made["id"] = got["id"]
				id, _ := got["id"].(string)
				if !reflect.DeepEqual(got, made) || !strings.HasPrefix(id, "urn:vcloud:"+tt.kind+":") {
					t.Errorf("made %v, want %v", got, made)
				}
				if list := by.list(tt.path + "?filter=name==test"); len(list) != 1 || !reflect.DeepEqual(list[0], made) {
					t.Errorf("listed: %v", list)
				}
				rights := by.refs("Catalog: Add vApp from My Cloud", "Catalog: Edit Properties")
				implied := map[string]bool{}
				for _, ref := range rights["values"].([]object) {
					for _, i := range by.do(200, "GET", "rights/"+ref["id"].(string), nil)["impliedRights"].([]any) {
						implied[i.(object)["name"].(string)] = true
					}
				}
				if len(implied) == 0 {
					t.Fatal("the rights imply nothing")
				}
				by.do(200, "POST", tt.path+id+"/rights", rights)
				if n := len(by.list(tt.path + id + "/rights")); n != 2 {
					t.Errorf("%d rights, want the 2 that were given", n)
				}
				var names []string
				for name := range implied {
					names = append(names, name)
				}
				by.do(200, "POST", tt.path+id+"/rights", by.refs(names...))
				by.do(200, "POST", tt.path+id+"/rights", rights) // again
				if n := len(by.list(tt.path + id + "/rights")); n != 2+len(implied) {
					t.Errorf("%d rights, want %d", n, 2+len(implied))
				}
				by.do(200, "PUT", tt.path+id+"/rights", by.refs(names[0]))
				if got := named(by.list(tt.path + id + "/rights")); !slices.Equal(got, names[:1]) {
					t.Errorf("replaced: %q, want %q", got, names[:1])
				}
				by.do(200, "PUT", tt.path+id+"/rights", object{"values": nil})
				if n := len(by.list(tt.path + id + "/rights")); n != 0 {
					t.Errorf("%d rights are left", n)
				}
				made["name"], made["description"], made["bundleKey"] = "test 100% / ?#", "", "mine"
				if got := by.do(200, "PUT", tt.path+id, made); !reflect.DeepEqual(got, made) {
					t.Errorf("updated %v, want %v", got, made)
				}
				if got := by.do(200, "GET", tt.path+id, nil); !reflect.DeepEqual(got, made) {
					t.Errorf("read %v, want %v", got, made)
				}
				by.do(204, "DELETE", tt.path+id, nil)
				by.do(403, "GET", tt.path+id, nil)
				by.do(403, "PUT", tt.path+id+"/rights", object{"values": nil})
			})
		}
	})
}

// A client that adds what a right implies is done after one level, and every
// right is in a category that can be read, which counts it.
func TestRights_AreConsistent(t *testing.T) {
	sitetest.Each(t, func(t *testing.T, p *sitetest.Pair) {
		for _, org := range []string{"acme", "System"} {
			t.Run(org, func(t *testing.T) {
				by := as(t, p, org)
				rights, implies := by.list("rights"), map[string]map[string]bool{}
				for _, r := range rights {
					set := map[string]bool{}
					for _, i := range r["impliedRights"].([]any) {
						set[i.(object)["name"].(string)] = true
					}
					implies[r["name"].(string)] = set
				}
				for name, set := range implies {
					for i := range set {
						next, ok := implies[i]
						if !ok {
							t.Errorf("%q implies %q, which is not there", name, i)
						}
						for more := range next {
							if !set[more] && more != name {
								t.Errorf("%q implies %q and with it %q, and does not say so", name, i, more)
							}
						}
					}
				}
				counts := map[string]map[string]float64{}
				for _, r := range rights {
					id := r["category"].(string)
					if counts[id] == nil {
						counts[id] = map[string]float64{"VIEW": 0, "MODIFY": 0}
					}
					counts[id][r["rightType"].(string)]++
				}
				categories := by.list("rightsCategories")
				for _, c := range categories {
					n := c["rightsCount"].(object)
					if want := counts[c["id"].(string)]; n["view"] != want["VIEW"] || n["modify"] != want["MODIFY"] {
						t.Errorf("%s counts %v, want %v", c["name"], n, want)
					}
					if got := by.do(200, "GET", "rightsCategories/"+c["id"].(string), nil); !reflect.DeepEqual(got, c) {
						t.Errorf("read %v, listed %v", got, c)
					}
				}
				if len(categories) != len(counts) || len(rights) < 50 {
					t.Errorf("%d categories of %d, %d rights", len(categories), len(counts), len(rights))
				}
			})
		}
	})
}

// Who may manage roles and little else gets nowhere by the API.
func TestRoles_R7_HostileAdministrator(t *testing.T) {
	sitetest.Each(t, func(t *testing.T, p *sitetest.Pair) {
		admin := as(t, p, "acme")
		little := someone(t, p, "acme", tenants.RightRoleManage, tenants.RightRoleView, tenants.RightRightView)
		mighty := admin.do(201, "POST", "roles", object{"name": "mighty"})["id"].(string)
		admin.do(200, "PUT", "roles/"+mighty+"/rights", admin.refs("Group / User: Manage"))
		own := little.do(201, "POST", "roles", object{"name": "clone"})["id"].(string)
		clone := object{"values": admin.list("roles/" + mighty + "/rights")}
		little.do(403, "PUT", "roles/"+own+"/rights", clone)
		little.do(403, "POST", "roles/"+own+"/rights", clone)
		little.do(403, "POST", "roles/"+own+"/rights", little.refs("Role: View", "Group / User: Manage"))
		little.do(403, "PUT", "roles/"+mighty, object{"name": "mine"})
		little.do(403, "PUT", "roles/"+mighty+"/rights", object{"values": nil})
		little.do(403, "DELETE", "roles/"+mighty, nil)
		for _, role := range little.list("roles?filter=readOnly==true") {
			little.do(403, "PUT", "roles/"+role["id"].(string)+"/rights", object{"values": nil})
			little.do(403, "DELETE", "roles/"+role["id"].(string), nil)
		}
		for _, role := range little.list("roles") { // their own role among them
			if role["name"] != "clone" {
				little.do(403, "POST", "roles/"+role["id"].(string)+"/rights", little.refs("Group / User: Manage"))
			}
		}
		for _, path := range []string{"globalRoles", "rightsBundles"} {
			little.do(403, "GET", path, nil)
			admin.do(403, "GET", path, nil)
			admin.do(403, "POST", path, object{"name": "mine", "publishAll": true})
		}
		if n := len(admin.list("roles/" + own + "/rights")); n != 0 {
			t.Errorf("the clone has %d rights", n)
		}
		if got := named(admin.list("roles/" + mighty + "/rights")); !slices.Equal(got, []string{"Group / User: Manage"}) {
			t.Errorf("the mighty role has %q", got)
		}
		little.do(200, "PUT", "roles/"+own+"/rights", little.refs("Role: View", "Right: View"))
		little.do(204, "DELETE", "roles/"+own, nil)
	})
}

// What the provider withdraws, a tenant's next request lacks.
func TestPublications_R7_WithdrawalCountsAtOnce(t *testing.T) {
	sitetest.Each(t, func(t *testing.T, p *sitetest.Pair) {
		provider, admin, globex := as(t, p, "System"), as(t, p, "acme"), as(t, p, "globex")
		acme := object{"values": []object{{"name": "acme", "id": p.Client.Site("east").Org("acme").ID}}}
		bundle := provider.list("rightsBundles")[0]["id"].(string)
		var global string
		for _, r := range provider.list("globalRoles?filter=name==Organization%20Administrator") {
			global = r["id"].(string)
		}
		admin.do(200, "GET", "roles", nil)
		all := len(admin.list("rights"))
		for _, set := range []string{"rightsBundles/" + bundle, "globalRoles/" + global} {
			provider.do(204, "POST", set+"/tenants/unpublish", acme)
			admin.do(403, "GET", "roles", nil)
			globex.do(200, "GET", "roles", nil) // the others keep it
			provider.do(204, "POST", set+"/tenants/publish", acme)
			admin.do(200, "GET", "roles", nil)
			provider.do(204, "POST", set+"/tenants/publishAll", object{})
		}
		rights := object{"values": provider.list("rightsBundles/" + bundle + "/rights")}
		less := provider.refs("Role: View", "Right: View")
		provider.do(200, "PUT", "rightsBundles/"+bundle+"/rights", less)
		if got := named(admin.list("rights")); !slices.Equal(got, []string{"Right: View", "Role: View"}) {
			t.Errorf("available: %q", got)
		}
		admin.do(403, "POST", "roles", object{"name": "x"})
		provider.do(200, "PUT", "rightsBundles/"+bundle+"/rights", rights)
		if n := len(admin.list("rights")); n != all {
			t.Errorf("%d rights are available again, want %d", n, all)
		}
		admin.do(201, "POST", "roles", object{"name": "x"})
	})
}

// Machines look where their role lets them, and change nothing whatever it says.
func TestRoles_VCD34_MachinesOnlyLook(t *testing.T) {
	sitetest.Each(t, func(t *testing.T, p *sitetest.Pair) {
		software := "bc2528fd-35c4-44e5-a55d-62e5c4bd9c99"
		for org, role := range map[string]string{"System": tenants.SystemAdministrator, "acme": tenants.OrganizationAdministrator} {
			t.Run(org, func(t *testing.T) {
				admin := p.Client.Login(t, "east", org)
				id := p.Client.Register(t, "east", org, admin, "mighty", software, role)
				access, _ := p.Client.Connect(t, "east", org, id)
				bot, person := client{t, p.Client, sitetest.Bearer(access)}, as(t, p, org)
				paths := map[string]string{"roles": "rights"}
				if org == "System" {
					paths["globalRoles"], paths["rightsBundles"] = "rights", "tenants"
				}
				for path, below := range paths {
					one := path + "/" + person.do(201, "POST", path, object{"name": "made"})["id"].(string)
					bot.do(200, "GET", path, nil)
					bot.do(200, "GET", one, nil)
					bot.do(200, "GET", one+"/"+below, nil)
					bot.do(403, "POST", path, object{"name": "x"})
					bot.do(403, "PUT", one, object{"name": "x"})
					bot.do(403, "DELETE", one, nil)
					bot.do(403, "PUT", one+"/rights", object{"values": nil})
					bot.do(403, "POST", one+"/rights", object{"values": nil})
					if path != "roles" {
						bot.do(403, "PUT", one+"/tenants", object{"values": nil})
						for _, action := range []string{"publish", "unpublish", "publishAll", "unpublishAll"} {
							bot.do(403, "POST", one+"/tenants/"+action, object{"values": nil})
						}
					}
				}
			})
		}
	})
}
