package clients

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vmware/go-vcloud-director/v2/govcd"
	"github.com/vmware/go-vcloud-director/v2/types/v56"
)

// TestGoVCD_V2 is what Terraform's provider does by the SDK it is built on: it
// keeps a service account's token in a file and rewrites it at each login.
func TestGoVCD_V2(t *testing.T) {
	w := newWorld(t)
	acme := w.Sites[0].Organizations[0]
	admin := govcd.NewVCDClient(w.api, true)
	must(t, admin.Authenticate(acme.Admin.User, acme.Admin.Password, acme.Name))
	org := get(admin.GetAdminOrgByName(acme.Name))(t)

	role := get(org.CreateRole(&types.Role{Name: "v2 role", Description: "d", BundleKey: types.VcloudUndefinedKey}))(t)
	must(t, role.Delete())
	user := get(org.CreateUserSimple(govcd.OrgUserConfiguration{
		Name: "v2-user", Password: "new_pass", RoleName: govcd.OrgUserRoleOrganizationAdministrator, ProviderType: govcd.OrgUserProviderIntegrated, IsEnabled: true,
	}))(t)
	must(t, user.Delete(true))

	account := get(admin.CreateServiceAccount(acme.Name, "v2-account", "urn:vcloud:role:Organization%20Administrator", "12345678-1234-1234-1234-1234567890ab", "1", ""))(t)
	must(t, account.Authorize())
	must(t, account.Grant())
	token := get(account.GetInitialApiToken())(t)
	path := filepath.Join(t.TempDir(), "token.json")
	must(t, govcd.SaveServiceAccountToFile(path, admin.Client.UserAgent, token))
	shown := map[string]bool{token.RefreshToken: true}
	for range 3 {
		app := govcd.NewVCDClient(w.api, true)
		must(t, app.SetServiceAccountApiToken(acme.Name, path))
		if _, err := app.GetAdminOrgByName(acme.Name); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		must(t, err)
		for old := range shown {
			if strings.Contains(string(text), old) {
				t.Fatal("the file still holds a token that was used")
			}
		}
		next := get(govcd.GetTokenFromFile(path))(t)
		shown[next.RefreshToken] = true
	}
	must(t, account.Revoke())
	if err := govcd.NewVCDClient(w.api, true).SetServiceAccountApiToken(acme.Name, path); err == nil {
		t.Error("a revoked token logs in")
	}
	must(t, account.Delete())
}
