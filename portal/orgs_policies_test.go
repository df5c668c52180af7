package portal_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"causeway/internal/browsertest"
	"causeway/internal/sitetest"
)

const ownOrganizations = "/cloudapi/causeway/1.0.0/organizations/"

// acmePath is the provider's page of organization acme.
func (w *world) acmePath() string {
	return w.Provider.URL + "/organizations/" + strings.TrimPrefix(w.West.Org("acme").ID, "urn:vcloud:org:")
}

// own reads one of the gateway's own documents about acme.
func (w *world) own(t *testing.T, token, what string) map[string]any {
	t.Helper()
	return w.Client.Get(t, "west", ownOrganizations+w.West.Org("acme").ID+"/"+what, sitetest.Bearer(token)).Want(t, http.StatusOK).JSON(t)
}

// TestOrganizationLimits_R13_AreThoseOfTheAPI sets limits in the portal and reads
// them by API.
func TestOrganizationLimits_R13_AreThoseOfTheAPI(t *testing.T) {
	w := start(t)
	token := w.Client.Login(t, "west", sitetest.System)
	tab := w.Provider.enter(t, browsertest.Look{})
	fill := func(bucket, tokens, per, burst string) {
		t.Helper()
		for field, value := range map[string]string{"tokens": tokens, "per": per, "burst": burst} {
			tab.Eval(fmt.Sprintf(`{const f = document.getElementById("f-%s.%s"); if (f) f.value = %q}`, bucket, field, value), nil)
		}
	}

	tab.Go(w.acmePath())
	tab.Sees("Everything is as the site has it.")
	tab.Follow("Change the limits")
	tab.Sees("The site gives 300 in 1 second, at most 3,000 at once.")
	fill("user_code.account", "11", "10m", "")
	fill("management.account", "20", "soon", "")
	tab.Press("Save the limits")
	if tab.Status() != http.StatusBadRequest {
		t.Errorf("limits that cannot be are answered with %d", tab.Status())
	}
	tab.Sees("Nothing was changed.", "is looser than", "The time is a number with a unit")
	var kept string
	if tab.Eval(`document.getElementById("f-management.account.per").value`, &kept); kept != "soon" {
		t.Errorf("what was typed became %q", kept)
	}
	if own := w.own(t, token, "limits")["limits"].([]any); len(own) != 0 {
		t.Errorf("the API tells of %v", own)
	}

	fill("user_code.account", "3", "1h", "")
	fill("management.account", "20", "1s", "100")
	fill("management.org", "30", "1s", "150")
	tab.Press("Save the limits")
	tab.Sees("must be at least 2 times account") // which only both together can show
	fill("management.org", "", "", "")
	tab.Press("Save the limits")
	tab.Sees("The limits are saved, and count now.", "3 in 1 hour, at most 3 at once", "20 in 1 second, at most 100 at once")
	want := `[map[bucket:account burst:3 limit:user_code per:1h tokens:3] map[bucket:account burst:100 limit:management per:1s tokens:20]]`
	if own := fmt.Sprint(w.own(t, token, "limits")["limits"]); own != want {
		t.Errorf("the API tells of\n%s, want\n%s", own, want)
	}

	tab.Follow("Change the limits")
	fill("user_code.account", "", "", "")
	fill("management.account", "", "", "")
	tab.Press("Save the limits")
	if own := w.own(t, token, "limits")["limits"].([]any); len(own) != 0 {
		t.Errorf("what is empty is the site's, and the API tells of %v", own)
	}
}

// TestTokenPolicy_R3_OnlyTheProviderMakesItLooser changes the policy as a tenant and
// as a provider.
func TestTokenPolicy_R3_OnlyTheProviderMakesItLooser(t *testing.T) {
	w := start(t)
	token := w.Client.Login(t, "west", sitetest.System)
	const again, age = "Asking again from the same address", "Longest access without a new grant"
	tenant := w.Acme.enter(t, browsertest.Look{})
	tenant.Follow("Settings")
	tenant.Follow("Edit the token policy")
	tenant.Sees("You can make it stricter, up to 1 day.")
	tenant.Fill(again, "36h")
	tenant.Fill(age, "30d")
	tenant.Press("Save")
	if tenant.Status() != http.StatusForbidden || tenant.Value(again) != "36h" || tenant.Value(age) != "30d" {
		t.Errorf("a looser policy: %d, %q, %q", tenant.Status(), tenant.Value(again), tenant.Value(age))
	}
	if got := tenant.Text("#f-retryWindowSeconds-error"); got != "Only the provider makes this looser. The most that you can choose is 1 day." {
		t.Errorf("beside the field: %q", got)
	}
	tenant.Fill(again, "soon")
	tenant.Press("Save")
	if got := tenant.Text("#f-retryWindowSeconds-error"); !strings.HasPrefix(got, "This is a time such as 45s") {
		t.Errorf("beside the field: %q", got)
	}
	tenant.Fill(again, "12h")
	tenant.Press("Save")
	tenant.Sees("The settings are saved.", "12 hours set here", "30 days set here", "1 minute as the site has it")
	policy := w.own(t, token, "tokenPolicy")
	if policy["retryWindowSeconds"] != 43200.0 || policy["maxAgeSeconds"] != 2592000.0 || policy["maxRetries"] != nil {
		t.Errorf("the API tells of %v", policy)
	}

	provider := w.Provider.enter(t, browsertest.Look{})
	provider.Go(w.acmePath())
	provider.Follow("Its settings")
	provider.Sees("You act in organization acme as its provider.")
	provider.Follow("Edit the token policy")
	provider.Fill(again, "8d")
	provider.Press("Save")
	if got := provider.Text("#f-retryWindowSeconds-error"); got != "This is from 0 seconds to 7 days, or empty for the usual." {
		t.Errorf("beside the field: %q", got)
	}
	provider.Fill(again, "7d")
	provider.Press("Save")
	provider.Sees("7 days set by the provider")
	if policy := w.own(t, token, "tokenPolicy"); fmt.Sprint(policy["setByProvider"]) != "[retryWindowSeconds]" {
		t.Errorf("the API tells of %v", policy)
	}

	tenant.Follow("Edit the token policy")
	tenant.Sees("You can make it stricter, up to 7 days.")
	tenant.Fill(age, "")
	tenant.Press("Save")
	tenant.Sees("no end as the site has it", "7 days set by the provider")
}

// TestLockout_R5_IsSetInThePortal switches lock-outs on, and has somebody locked out.
func TestLockout_R5_IsSetInThePortal(t *testing.T) {
	w := start(t)
	tab := w.Acme.enter(t, browsertest.Look{})
	tab.Follow("Settings")
	tab.Sees("Addresses are not locked out of single accounts.")
	tab.Follow("Edit the lock-out")
	tab.Tick("Lock out who types wrong passwords")
	tab.Fill("Wrong passwords in a row", "101")
	tab.Press("Save")
	if got := tab.Text("#f-invalidLogins-error"); got != "This is from 1 to 100, or empty for the usual." || !tab.Ticked("Lock out who types wrong passwords") {
		t.Errorf("101 wrong passwords: %q", got)
	}
	tab.Fill("Wrong passwords in a row", "2")
	tab.Press("Save")
	tab.Sees("After 2 wrong passwords in a row an address is locked out of the account for 10 minutes.")

	stranger := browsertest.Open(t, browsertest.Look{})
	for _, password := range []string{"wrong 1", "wrong 2", w.Acme.Admin.Password} {
		stranger.Go(w.Acme.URL + "/login")
		stranger.Fill("User name", w.Acme.Admin.User)
		stranger.Fill("Password", password)
		stranger.Press("Log in")
	}
	if stranger.Status() != http.StatusUnauthorized {
		t.Errorf("after two wrong passwords the right one is answered with %d", stranger.Status())
	}

	tab.Follow("Users")
	tab.Filter("Lockout", "Locked out")
	tab.Follow(w.Acme.Admin.User)
	tab.Follow("Unlock")
	tab.Press("Unlock")
	tab.Sees("The user can try to log in again.")
	stranger.LogIn(w.Acme.URL, w.Acme.Admin.User, w.Acme.Admin.Password)
}

// TestSettings_OfComputeAreKept changes what the gateway keeps for others, and reads
// it by API.
func TestSettings_OfComputeAreKept(t *testing.T) {
	w := start(t)
	tab := w.Acme.enter(t, browsertest.Look{})
	tab.Go(w.Acme.URL + "/administration/settings/compute")
	tab.Tick("Subscribe to catalogs of others")
	tab.Fill("Machines that run at most", "12")
	tab.Fill("Seconds that something runs", "")
	tab.Eval(`document.querySelector("form.form").noValidate = true`, nil)
	tab.Press("Save")
	if got := tab.Text("#f-runtimeSeconds-error"); got != "This is a whole number from 0." || tab.Value("Machines that run at most") != "12" {
		t.Errorf("no number: %q, and %q was typed", got, tab.Value("Machines that run at most"))
	}
	tab.Fill("Seconds that something runs", "3600")
	tab.Press("Save")
	tab.Sees("The settings are saved.")
	header := sitetest.Bearer(w.Client.Login(t, "west", "acme"), "Accept", "application/*+json;version=37.0")
	id := strings.TrimPrefix(w.West.Org("acme").ID, "urn:vcloud:org:")
	for group, want := range map[string]map[string]any{
		"general":           {"canSubscribe": true, "canPublishCatalogs": false, "deployedVMQuota": 12.0},
		"vAppLeaseSettings": {"deploymentLeaseSeconds": 3600.0, "powerOffOnRuntimeLeaseExpiration": false},
	} {
		got := w.Client.Get(t, "west", "/api/admin/org/"+id+"/settings/"+group, header).Want(t, http.StatusOK).JSON(t)
		for member, value := range want {
			if got[member] != value {
				t.Errorf("the API tells that %s is %v, want %v", member, got[member], value)
			}
		}
	}
}
