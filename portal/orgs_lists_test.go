package portal_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"causeway/internal/browsertest"
	"causeway/internal/sitetest"
)

// TestOrganizations_AListOfManyPagesSearchesAndSorts looks at sixty organizations.
func TestOrganizations_AListOfManyPagesSearchesAndSorts(t *testing.T) {
	w := start(t)
	header := sitetest.Bearer(w.Client.Login(t, "west", sitetest.System))
	for i := range 60 {
		w.Client.Post(t, "west", cloudOrgs, header, map[string]any{
			"name": fmt.Sprintf("org-%02d", i), "displayName": fmt.Sprintf("Tenant number %d", 59-i), "isEnabled": i%10 != 0,
		}).Want(t, http.StatusCreated)
	}
	tab := w.Provider.enter(t, browsertest.Look{NoScript: true})
	first := func() string { return tab.Text("tbody tr th") }
	tab.Follow("Organizations")
	tab.Sees("1–25 of", "Page 1 of 3")
	tab.Follow("Name")
	if first() != "org-59" {
		t.Errorf("from the end of the alphabet comes %s first", first())
	}
	tab.Follow("Next")
	tab.Follow("Next")
	tab.Sees("Page 3 of 3", "acme")
	tab.Fill("Search", "number 1")
	tab.Press("Apply")
	tab.Sees("1–11 of 11")
	if first() != "org-58" {
		t.Errorf("of those that match, %s comes first", first())
	}
	tab.Follow("Full name")
	if first() != "org-58" || tab.Value("Search") != "number 1" {
		t.Errorf("sorted by another column %s comes first of what matches %q", first(), tab.Value("Search"))
	}
	tab.Choose("State", "Disabled")
	tab.Press("Apply")
	tab.Sees("1–1 of 1", "org-40")
	tab.Fill("Search", "nowhere")
	tab.Press("Apply")
	tab.Sees("Nothing matches.")
	tab.Follow("Clear search and filters")
	tab.Sees("Page 1 of 3")
	tab.Go(w.Provider.URL + "/organizations?page=9")
	tab.Sees("The list is shorter than that.")
	tab.Go(w.Provider.URL + "/organizations?sort=created_at")
	if tab.Status() != http.StatusBadRequest {
		t.Errorf("a column that is none is answered with %d", tab.Status())
	}
}

// TestQuotaPolicies_VCD55_VCD56_AreMadeGivenAndDeleted makes a policy with all that it
// can bound, and gives it to an organization.
func TestQuotaPolicies_VCD55_VCD56_AreMadeGivenAndDeleted(t *testing.T) {
	w := start(t)
	header := sitetest.Bearer(w.Client.Login(t, "west", "acme"))
	const policies = "/cloudapi/1.0.0/quotaPolicies"
	tenant := w.Acme.enter(t, browsertest.Look{})
	fill := func(field, value string) {
		t.Helper()
		tenant.Eval(fmt.Sprintf(`document.getElementById("f-%s").value = %q`, field, value), nil)
	}
	tenant.Follow("Quota policies")
	tenant.Sees("There are no quota policies.")
	tenant.Follow("New quota policy")
	tenant.Fill("Name", "Small")
	fill("requests", "0")
	fill("requests.unit", "PER_HOUR")
	fill("other.1.name", "memory")
	fill("other.1.amount", "much")
	tenant.Press("Save")
	if got := tenant.Text(".field.bad .error"); got != "This is a whole number." {
		t.Errorf("an amount that is none: %q", got)
	}
	fill("other.1.amount", "-1")
	fill("other.1.unit", "MB")
	fill("other.1.qualifiers", "a\nb, c")
	tenant.Press("Save")
	if got := tenant.Text("#f-requests-error"); !strings.HasPrefix(got, "The quota of requests is at least 1") {
		t.Errorf("a quota of nothing: %q", got)
	}
	fill("requests", "1000")
	fill("concurrentRequests", "4")
	tenant.Press("Save")
	tenant.Sees("The quota policy is saved.", "1,000 requests in each hour", "4 requests at once", "memory: without bound")

	// Opened and saved again it is the same: nothing is lost on the way.
	defined := func() string {
		list := w.Client.Get(t, "west", policies, header).Want(t, http.StatusOK).JSON(t)["values"].([]any)
		return fmt.Sprint(list[0].(map[string]any)["quotaPoolDefinitions"])
	}
	before := defined()
	for _, want := range []string{"quota:1000 quotaResourceName:requests quotaResourceUnit:PER_HOUR", "quota:-1 quotaResourceName:memory quotaResourceUnit:MB", "qualifiers:[a b, c]"} {
		if !strings.Contains(before, want) {
			t.Errorf("the API does not tell of %s in %s", want, before)
		}
	}
	tenant.Follow("Small")
	tenant.Press("Save")
	if after := defined(); after != before {
		t.Errorf("saved again it is\n%s, and was\n%s", after, before)
	}

	wizardWithQuota(t, tenant)

	provider := w.Provider.enter(t, browsertest.Look{})
	provider.Go(w.Acme.URL + "/administration/quotas")
	provider.Follow("Choose another")
	provider.Tick("Small")
	provider.Press("Save")
	provider.Sees("The organization's quota policy is saved.")
	held := w.Client.Get(t, "west", cloudOrgs+"/"+w.West.Org("acme").ID+"/quotaPolicy", header).Want(t, http.StatusOK).JSON(t)
	if ref, _ := held["quotaPolicyReference"].(map[string]any); ref["name"] != "Small" {
		t.Errorf("the API tells that the organization holds %v", held)
	}

	tenant.Go(w.Acme.URL + "/administration/quotas")
	tenant.Follow("Small")
	fill("requests", "2000")
	tenant.Press("Save")
	tenant.Sees("The quota policy bounds the organization; only the provider can change it.")
	tenant.Follow("Delete")
	tenant.Press("Delete")
	if tenant.Status() != http.StatusConflict {
		t.Errorf("a policy that is held is deleted with %d: %s", tenant.Status(), tenant.Text("main"))
	}
	provider.Follow("Choose another")
	provider.Tick("none")
	provider.Press("Save")
	tenant.Press("Delete")
	tenant.Sees("The quota policy is deleted.", "There are no quota policies.")
	tenant.Follow("Tasks")
	tenant.Sees("Assigned a quota policy to org acme", "Success")
}

// wizardWithQuota makes a service account that has a quota policy from its beginning.
func wizardWithQuota(t *testing.T, tab *browsertest.Tab) {
	t.Helper()
	tab.Follow("Service Accounts")
	tab.Follow("New service account")
	tab.Fill("Name", "Bounded")
	tab.Tick("Inventory Operator")
	tab.Press("Next")
	tab.Click("[data-generate]")
	tab.Press("Next")
	tab.Choose("Quota policy", "Small")
	tab.Press("Next")
	tab.Sees("Nothing has been made yet.", "Bounded", "Small")
	tab.Press("Create")
	tab.Sees("The service account is created.", "Small")
	tab.Follow("Delete")
	tab.Press("Delete")
	tab.Sees("The service account is deleted.")
}
