package federationhttp_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"causeway/internal/config"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// A tenant's administrator makes up organizations of another site: as many as the
// provider allows, by whichever way they are taken in (I8). What is held may be
// sent again, and replaced.
func TestAssociations_I8_AsManyAsAllowed(t *testing.T) {
	t.Parallel()
	p := sitetest.Start(t, storetest.SQLite, sitetest.Adjust(func(c *config.Config) { c.Federation.AssociationsPerOrg = 2 }))
	globex := login(t, p, "east", "globex")
	own, body := globex.data("globex")
	made := func(n int) string {
		elsewhere := strings.ReplaceAll(body, own.SiteID, p.Client.Site("west").ID)
		return strings.ReplaceAll(elsewhere, own.OrgID, fmt.Sprintf("urn:vcloud:org:11111111-2222-4333-8444-%012d", n))
	}
	path := orgPath(own.OrgID)
	for n := range 2 {
		globex.task(globex.do("POST", path, made(n)))
	}
	globex.do("POST", path, made(2)).Want(t, http.StatusConflict)
	globex.do("PUT", path, `<OrgAssociations>`+inner(made(0))+inner(made(1))+inner(made(2))+`</OrgAssociations>`).Want(t, http.StatusConflict)
	if got := globex.orgs("globex"); len(got) != 2 {
		t.Errorf("%d are held", len(got))
	}
	globex.task(globex.do("POST", path, made(1)))
	globex.task(globex.do("PUT", path, `<OrgAssociations>`+inner(made(3))+inner(made(4))+`</OrgAssociations>`))
}
