package federationhttp_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"causeway/internal/config"
	"causeway/internal/sitetest"
)

// TestTenantAssociations_Forbidden_R6: where the provider keeps associations to
// itself, tenants make none and replace no key; what there is they see, set and
// end, and the provider associates them.
func TestTenantAssociations_Forbidden_R6(t *testing.T) {
	t.Parallel()
	forbid := sitetest.Adjust(func(c *config.Config) { c.Federation.TenantAssociations = "forbidden" })
	sitetest.Each(t, func(t *testing.T, p *sitetest.Pair) {
		globex, labs := login(t, p, "east", "globex"), login(t, p, "east", "acme-labs")
		provider := login(t, p, "east", sitetest.System)
		ofLabs, labsBody := labs.data("acme-labs")
		_, globexBody := globex.data("globex")
		path := orgPath(p.Client.Site("east").Org("globex").ID)
		list := `<OrgAssociations>` + inner(labsBody) + `</OrgAssociations>`

		for method, body := range map[string]string{"POST": labsBody, "PUT": list} {
			a := globex.do(method, path, body).Want(t, http.StatusForbidden)
			if !strings.Contains(string(a.Body), "the provider associates organizations") {
				t.Errorf("%s is refused without the reason: %s", method, a.Body)
			}
		}
		if got := globex.orgs("globex"); len(got) != 0 {
			t.Errorf("a tenant has made %+v", got)
		}
		provider.task(provider.do("POST", path, labsBody))
		provider.task(provider.do("PUT", path, list))
		provider.task(provider.do("POST", orgPath(ofLabs.OrgID), globexBody))
		wantStatus(t, globex.orgs("globex"), ofLabs.OrgID, "ACTIVE")

		globex.do("POST", path, labsBody).Want(t, http.StatusForbidden) // nor the same again
		globex.task(globex.do("DELETE", globex.orgs("globex")[0].Href, ""))
		labs.task(labs.do("PUT", orgPath(ofLabs.OrgID), `<OrgAssociations/>`))
		if left := len(globex.orgs("globex")) + len(labs.orgs("acme-labs")); left != 0 {
			t.Errorf("%d associations are left", left)
		}

		acme := login(t, p, "east", "acme")
		links := "/organizations/" + strings.TrimPrefix(p.Client.Site("east").Org("acme").ID, "urn:vcloud:org:") + "/associations"
		shown := acme.own("GET", links, "").Want(t, http.StatusOK).JSON(t)["values"].([]any)[0].(map[string]any)
		one := links + "/" + shown["locationId"].(string)
		acme.own("POST", one+"/replaceKey", `{"publicKey":`+quoted(keyOf(t))+`}`).Want(t, http.StatusForbidden)
		acme.own("PUT", one, `{"mapUsers":true,"direct":false}`).Want(t, http.StatusOK)
		if after := acme.own("GET", one, "").Want(t, http.StatusOK); after.String(t, "fingerprint") != shown["fingerprint"] {
			t.Errorf("a tenant has replaced a key: %s", after.Body)
		}
	}, forbid)
}

// quoted is a PEM block in JSON.
func quoted(text string) string { return `"` + strings.ReplaceAll(text, "\n", `\n`) + `"` }

// TestOrganizationsMeet_VCD40: two organizations of one site that do the same at the
// same moment neither fail nor miss each other: both halves say ACTIVE when both
// are there, and no half is left behind when both are gone.
func TestOrganizationsMeet_VCD40(t *testing.T) {
	t.Parallel()
	sitetest.Each(t, func(t *testing.T, p *sitetest.Pair) {
		globex, labs := login(t, p, "east", "globex"), login(t, p, "east", "acme-labs")
		ofGlobex, globexBody := globex.data("globex")
		ofLabs, labsBody := labs.data("acme-labs")
		both := func(what string, do ...func() sitetest.Answer) {
			t.Helper()
			var wait sync.WaitGroup
			begin := make(chan struct{})
			for _, f := range do {
				for range 2 { // and each twice
					wait.Go(func() {
						<-begin
						if a := f(); a.Status != http.StatusAccepted {
							t.Errorf("%s: %d %s", what, a.Status, a.Body)
						}
					})
				}
			}
			close(begin)
			wait.Wait()
		}
		list := func(body string) string { return `<OrgAssociations>` + inner(body) + `</OrgAssociations>` }
		put := func(who person, org, body string) func() sitetest.Answer {
			return func() sitetest.Answer { return who.do("PUT", orgPath(org), body) }
		}
		for round := range 12 {
			if round%2 == 0 {
				both("each adds the other",
					func() sitetest.Answer { return globex.do("POST", orgPath(ofGlobex.OrgID), labsBody) },
					func() sitetest.Answer { return labs.do("POST", orgPath(ofLabs.OrgID), globexBody) })
			} else {
				both("each makes the other all it has", put(globex, ofGlobex.OrgID, list(labsBody)), put(labs, ofLabs.OrgID, list(globexBody)))
			}
			wantStatus(t, globex.orgs("globex"), ofLabs.OrgID, "ACTIVE")
			wantStatus(t, labs.orgs("acme-labs"), ofGlobex.OrgID, "ACTIVE")
			both("one ends it, one goes on", put(globex, ofGlobex.OrgID, `<OrgAssociations/>`), put(labs, ofLabs.OrgID, list(globexBody)))
			wantStatus(t, labs.orgs("acme-labs"), ofGlobex.OrgID, "ASYMMETRIC")
			both("both end it", put(globex, ofGlobex.OrgID, `<OrgAssociations/>`), put(labs, ofLabs.OrgID, `<OrgAssociations/>`))
			if left := len(globex.orgs("globex")) + len(labs.orgs("acme-labs")); left != 0 {
				t.Fatalf("%d halves are left", left)
			}
		}
	})
}
