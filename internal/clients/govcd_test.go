package clients

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/vmware/go-vcloud-director/v3/govcd"
	"github.com/vmware/go-vcloud-director/v3/types/v56"
)

func insecure() *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
}

// world is a running pair of sites with the SDK logged in at west, as the
// provider and as the administrator of acme.
type world struct {
	file
	api              url.URL
	provider, tenant *govcd.VCDClient
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{file: start(t)}
	u, err := url.Parse(w.Sites[0].API + "/api")
	must(t, err)
	w.api = *u
	acme := w.Sites[0].Organizations[0]
	w.provider = w.login(t, w.Sites[0].Admin, "System")
	w.tenant = w.login(t, acme.Admin, acme.Name)
	return w
}

func (w *world) login(t *testing.T, as login, org string) *govcd.VCDClient {
	t.Helper()
	c := govcd.NewVCDClient(w.api, true)
	must(t, c.Authenticate(as.User, as.Password, org))
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func get[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		must(t, err)
		return v
	}
}

func TestGoVCD(t *testing.T) {
	w := newWorld(t)
	t.Run("sessions", w.sessions)
	t.Run("organizations", w.organizations)
	t.Run("users", w.users)
	t.Run("roles", w.roles)
	t.Run("global roles", w.globalRoles)
	t.Run("rights bundles", w.rightsBundles)
	t.Run("service accounts", w.serviceAccounts)
	t.Run("API tokens", w.apiTokens)
	t.Run("queries", w.queries)
}

func (w *world) sessions(t *testing.T) {
	for name, c := range map[string]*govcd.VCDClient{"System": w.provider, "acme": w.tenant} {
		s := get(c.Client.GetSessionInfo())(t)
		if s.Org.Name != name || len(s.Roles) != 1 || s.User.Name == "" {
			t.Errorf("the session is %+v", s)
		}
		version, _, err := c.Client.GetVcdVersion()
		if err != nil || !strings.HasPrefix(version, "10.4") {
			t.Errorf("the version is %q, %v", version, err)
		}
	}
	again := w.login(t, w.Sites[0].Admin, "System")
	must(t, again.Authenticate(w.Sites[0].Admin.User, w.Sites[0].Admin.Password, "System"))
	must(t, again.Disconnect())
	if _, err := again.GetOrgList(); err == nil {
		t.Error("a session goes on after its end")
	}
	if err := govcd.NewVCDClient(w.api, true).Authenticate("administrator", "wrong password", "System"); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("a wrong password: %v", err)
	}
}

func (w *world) organizations(t *testing.T) {
	if list := get(w.provider.GetOrgList())(t); len(list.Org) < 2 {
		t.Errorf("the provider sees %d organizations", len(list.Org))
	}
	if list := get(w.tenant.GetOrgList())(t); len(list.Org) != 1 {
		t.Errorf("a tenant sees %d organizations", len(list.Org))
	}
	settings := &types.OrgSettings{
		OrgGeneralSettings:      &types.OrgGeneralSettings{DeployedVMQuota: 7, StoredVMQuota: 8, DelayAfterPowerOnSeconds: 9, CanPublishCatalogs: true},
		OrgVAppLeaseSettings:    &types.VAppLeaseSettings{},
		OrgVAppTemplateSettings: &types.VAppTemplateLeaseSettings{},
	}
	task, err := govcd.CreateOrg(w.provider, "sdk-org", "By the SDK", "described", settings, true)
	must(t, err)
	must(t, task.WaitTaskCompletion())
	org := get(w.provider.GetAdminOrgByName("sdk-org"))(t)
	if got := org.AdminOrg; got.FullName != "By the SDK" || !got.IsEnabled || got.OrgSettings.OrgGeneralSettings.DeployedVMQuota != 7 {
		t.Errorf("created as %+v", got)
	}
	if byID := get(w.provider.GetAdminOrgById(org.AdminOrg.ID))(t); byID.AdminOrg.Name != "sdk-org" {
		t.Errorf("by its id it is %s", byID.AdminOrg.Name)
	}
	org.AdminOrg.Description, org.AdminOrg.OrgSettings.OrgGeneralSettings.StoredVMQuota = "changed", 10
	update, err := org.Update()
	must(t, err)
	must(t, update.WaitTaskCompletion())
	must(t, org.Refresh())
	if org.AdminOrg.Description != "changed" || org.AdminOrg.OrgSettings.OrgGeneralSettings.StoredVMQuota != 10 {
		t.Errorf("changed to %+v", org.AdminOrg)
	}
	must(t, org.Disable())
	must(t, org.Delete(true, true))
	if _, err := w.provider.GetAdminOrgByName("sdk-org"); !govcd.ContainsNotFound(err) {
		t.Errorf("after its end: %v", err)
	}
}

func (w *world) users(t *testing.T) {
	for name, c := range map[string]*govcd.VCDClient{"provider": w.provider, "tenant": w.tenant} {
		t.Run(name, func(t *testing.T) {
			org := get(c.GetAdminOrgByName("acme"))(t)
			user := get(org.CreateUserSimple(govcd.OrgUserConfiguration{
				Name: "sdk-" + name, Password: "new_pass", RoleName: govcd.OrgUserRoleVappAuthor, FullName: "Full", EmailAddress: "a@example.com",
				ProviderType: govcd.OrgUserProviderIntegrated, IsEnabled: true, Telephone: "1", Description: "d", DeployedVmQuota: 3, StoredVmQuota: 4,
			}))(t)
			if user.GetRoleName() != govcd.OrgUserRoleVappAuthor || user.User.EmailAddress != "a@example.com" || user.User.StoredVmQuota != 4 {
				t.Errorf("created as %+v", user.User)
			}
			must(t, user.ChangeRole(govcd.OrgUserRoleCatalogAuthor))
			must(t, user.ChangePassword("another pass"))
			must(t, user.Disable())
			must(t, user.Enable())
			byName := get(org.GetUserByName("sdk-"+name, true))(t)
			if byName.GetRoleName() != govcd.OrgUserRoleCatalogAuthor || !byName.User.IsEnabled {
				t.Errorf("changed to %+v", byName.User)
			}
			if byID := get(org.GetUserById(byName.User.ID, true))(t); byID.User.Name != byName.User.Name {
				t.Errorf("by its id it is %s", byID.User.Name)
			}
			w.login(t, login{"sdk-" + name, "another pass"}, "acme")
			must(t, byName.Delete(true))
			if _, err := org.GetUserByName("sdk-"+name, true); !govcd.IsNotFound(err) {
				t.Errorf("after its end: %v", err)
			}
		})
	}
}

// references are rights with all that they imply, as the SDK's tests and
// Terraform put them together.
func references(t *testing.T, all []*types.Right, names ...string) (refs []types.OpenApiReference) {
	t.Helper()
	add := func(name, id string) {
		if !slices.ContainsFunc(refs, func(r types.OpenApiReference) bool { return r.ID == id }) {
			refs = append(refs, types.OpenApiReference{Name: name, ID: id})
		}
	}
	for _, r := range all {
		if slices.Contains(names, r.Name) {
			add(r.Name, r.ID)
			for _, i := range r.ImpliedRights {
				add(i.Name, i.ID)
			}
		}
	}
	if len(refs) < len(names) {
		t.Fatalf("only %d rights of %q were found", len(refs), names)
	}
	return refs
}

var catalogRights = []string{"Catalog: Add vApp from My Cloud", "Catalog: Edit Properties"}

func (w *world) roles(t *testing.T) {
	for name, c := range map[string]*govcd.VCDClient{"provider": w.provider, "tenant": w.tenant} {
		t.Run(name, func(t *testing.T) {
			org := get(c.GetAdminOrgByName("acme"))(t)
			before := get(org.GetAllRoles(nil))(t)
			role := get(org.CreateRole(&types.Role{Name: "sdk role " + name, Description: "d", BundleKey: types.VcloudUndefinedKey}))(t)
			rights := references(t, get(org.GetAllRights(nil))(t), catalogRights...)
			must(t, role.AddRights(rights))
			if got := get(role.GetRights(nil))(t); len(got) != len(rights) {
				t.Errorf("it has %d rights of %d", len(got), len(rights))
			}
			must(t, role.UpdateRights(rights[:1]))
			must(t, role.RemoveRights(rights[:1]))
			if got := get(role.GetRights(nil))(t); len(got) != 0 {
				t.Errorf("it has %d rights, want none", len(got))
			}
			role.Role.Description = "changed"
			if changed := get(role.Update())(t); changed.Role.Description != "changed" {
				t.Errorf("changed to %+v", changed.Role)
			}
			must(t, org.Refresh())
			if !slices.ContainsFunc(org.AdminOrg.RoleReferences.RoleReference, func(r *types.Reference) bool { return r.Name == "sdk role "+name }) {
				t.Error("the organization does not list it")
			}
			must(t, get(org.GetRoleByName("sdk role "+name))(t).Delete())
			if _, err := org.GetRoleById(role.Role.ID); !govcd.ContainsNotFound(err) {
				t.Errorf("after its end: %v", err)
			}
			if after := get(org.GetAllRoles(nil))(t); len(after) != len(before) {
				t.Errorf("%d roles became %d", len(before), len(after))
			}
		})
	}
}

// publication is what the SDK does with global roles and rights bundles alike.
type publication interface {
	AddRights([]types.OpenApiReference) error
	GetRights(url.Values) ([]*types.Right, error)
	RemoveAllRights() error
	PublishTenants([]types.OpenApiReference) error
	ReplacePublishedTenants([]types.OpenApiReference) error
	UnpublishTenants([]types.OpenApiReference) error
	PublishAllTenants() error
	UnpublishAllTenants() error
	GetTenants(url.Values) ([]types.OpenApiReference, error)
	Delete() error
}

func (w *world) publish(t *testing.T, p publication) {
	t.Helper()
	org := get(w.provider.GetAdminOrgByName("acme"))(t)
	acme := []types.OpenApiReference{{Name: "acme", ID: org.AdminOrg.ID}}
	rights := references(t, get(w.provider.Client.GetAllRights(nil))(t), catalogRights...)
	must(t, p.AddRights(rights))
	if got := get(p.GetRights(nil))(t); len(got) != len(rights) {
		t.Errorf("it has %d rights of %d", len(got), len(rights))
	}
	tenants := func(what string, want int) {
		t.Helper()
		if got := get(p.GetTenants(nil))(t); len(got) != want {
			t.Errorf("%s: published to %d, want %d", what, len(got), want)
		}
	}
	must(t, p.PublishTenants(acme))
	tenants("published to one", 1)
	must(t, p.UnpublishTenants(acme))
	tenants("unpublished", 0)
	must(t, p.ReplacePublishedTenants(acme))
	tenants("replaced", 1)
	must(t, p.PublishAllTenants())
	all := len(get(w.provider.GetOrgList())(t).Org) - 1
	tenants("published to all", all)
	must(t, p.UnpublishAllTenants())
	tenants("unpublished from all", 0)
	must(t, p.RemoveAllRights())
	must(t, p.Delete())
}

func (w *world) globalRoles(t *testing.T) {
	w.publish(t, get(w.provider.Client.CreateGlobalRole(&types.GlobalRole{Name: "sdk global", Description: "d", BundleKey: types.VcloudUndefinedKey}))(t))
	if _, err := w.tenant.Client.CreateGlobalRole(&types.GlobalRole{Name: "no"}); err == nil {
		t.Error("a tenant makes global roles")
	}
}

func (w *world) rightsBundles(t *testing.T) {
	w.publish(t, get(w.provider.Client.CreateRightsBundle(&types.RightsBundle{Name: "sdk bundle", Description: "d", BundleKey: types.VcloudUndefinedKey}))(t))
	if got := get(w.provider.Client.GetAllRightsBundles(nil))(t); len(got) == 0 {
		t.Error("there are no rights bundles")
	}
}

func (w *world) serviceAccounts(t *testing.T) {
	for name, c := range map[string]*govcd.VCDClient{"provider": w.provider, "tenant": w.tenant} {
		t.Run(name, func(t *testing.T) {
			account := get(c.CreateServiceAccount("acme", "sdk-"+name, "urn:vcloud:role:Organization%20Administrator", "12345678-1234-1234-1234-1234567890ab", "1", ""))(t)
			must(t, account.Authorize())
			must(t, account.Refresh())
			if account.ServiceAccount.Status != "REQUESTED" {
				t.Errorf("after the request it is %s", account.ServiceAccount.Status)
			}
			must(t, account.Grant())
			token := get(account.GetInitialApiToken())(t)
			if len(token.RefreshToken) != 32 {
				t.Errorf("the token has %d characters", len(token.RefreshToken))
			}
			account = get(get(c.GetOrgByName("acme"))(t).GetServiceAccountById(account.ServiceAccount.ID))(t)
			if account.ServiceAccount.Status != "ACTIVE" {
				t.Errorf("after the fetch it is %s", account.ServiceAccount.Status)
			}
			app := govcd.NewVCDClient(w.api, true)
			must(t, app.SetToken("acme", govcd.ApiTokenHeader, token.RefreshToken))
			if _, err := app.GetAdminOrgByName("acme"); err != nil {
				t.Errorf("the account reads its organization: %v", err)
			}
			account.ServiceAccount.SoftwareVersion = "2"
			if changed := get(account.Update(account.ServiceAccount))(t); changed.ServiceAccount.SoftwareVersion != "2" {
				t.Errorf("changed to %+v", changed.ServiceAccount)
			}
			must(t, account.Revoke())
			must(t, account.Delete())
		})
	}
}

func (w *world) apiTokens(t *testing.T) {
	for name, c := range map[string]struct {
		client *govcd.VCDClient
		as     login
	}{"System": {w.provider, w.Sites[0].Admin}, "acme": {w.tenant, w.Sites[0].Organizations[0].Admin}} {
		t.Run(name, func(t *testing.T) {
			token := get(c.client.CreateToken(name, "sdk-token"))(t)
			refresh := get(token.GetInitialApiToken())(t)
			if _, err := token.GetInitialApiToken(); err == nil {
				t.Error("a token is shown twice")
			}
			app := govcd.NewVCDClient(w.api, true)
			must(t, app.SetToken(name, govcd.ApiTokenHeader, refresh.RefreshToken))
			if _, err := app.GetOrgList(); err != nil {
				t.Errorf("the token opens nothing: %v", err)
			}
			if _, err := app.CreateToken(name, "second"); err == nil {
				t.Error("a token makes tokens")
			}
			found := get(c.client.GetTokenByNameAndUsername("sdk-token", c.as.User))(t)
			must(t, found.Delete())
			if _, err := c.client.GetTokenById(found.Token.ID); !govcd.ContainsNotFound(err) {
				t.Errorf("after its end: %v", err)
			}
		})
	}
}

func (w *world) queries(t *testing.T) {
	if _, err := w.provider.Client.QueryTaskList(map[string]string{"status": "running,queued"}); err != nil {
		t.Error(err)
	}
	if _, err := w.provider.Client.QueryAllVdcs(); err != nil {
		t.Error(err)
	}
	if got := get(w.provider.Client.QueryAllSiteAssociations(nil, nil))(t); len(got) != 1 {
		t.Errorf("%d sites are associated", len(got))
	}
	if got := get(w.tenant.Client.GetAllRights(nil))(t); len(got) == 0 {
		t.Error("a tenant has no rights")
	}
}
