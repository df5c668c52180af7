package wire

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"causeway/federation"
	"causeway/internal/dev"
	"causeway/internal/journal"
	"causeway/internal/sitetest"
	"causeway/internal/store"
	"causeway/tenants"
)

// world is a pair of sites that scripts run against, whoever runs them.
type world struct {
	client *sitetest.Client
	file   *dev.File
	vars   variables
	// tokens are $admin and $bot, by the site that is asked with them.
	tokens map[string]variables
}

// newWorld logs in whom scripts speak for.
func newWorld(t *testing.T, c *sitetest.Client, f *dev.File) *world {
	t.Helper()
	w := &world{client: c, file: f, tokens: map[string]variables{}}
	east := f.Site("east")
	w.vars = variables{
		"api":       east.API,
		"site":      bare(east.ID),
		"acme_id":   bare(east.Org("acme").ID),
		"labs_id":   bare(east.Org("acme-labs").ID),
		"globex_id": bare(east.Org("globex").ID),

		"admin_password":    east.Org("acme").Admin.Password,
		"provider_password": east.Admin.Password,
		"globex_password":   east.Org("globex").Admin.Password,
		"software_id":       f.Account.SoftwareID,

		"provider": c.Login(t, "east", "System"), // access tokens of east
		"globex":   c.Login(t, "east", "globex"),
	}
	for _, site := range []string{"east", "west"} {
		admin := c.Login(t, site, "acme")
		id, _ := c.Account(t, site, admin, f.Account.Name)
		bot, _ := c.Connect(t, site, "acme", id)
		w.tokens[site] = variables{"admin": admin, "bot": bot}
	}
	return w
}

// with are the variables of a script for requests that a site is asked.
func (w *world) with(site string, captured variables) variables {
	all := maps.Clone(w.vars)
	maps.Copy(all, w.tokens[site])
	maps.Copy(all, captured)
	return all
}

func bare(urn string) string { return urn[strings.LastIndexByte(urn, ':')+1:] }

// mapPeople lets east's acme accept people of west's acme by name: without it
// only service accounts cross.
func mapPeople(t *testing.T, east *store.DB, f *dev.File) {
	t.Helper()
	local := tenants.OrgID(bare(f.Site("east").Org("acme").ID))
	remote := tenants.OrgID(bare(f.Site("west").Org("acme").ID))
	err := east.Federation().InTx(context.Background(), func(tx federation.Tx) error {
		a, err := tx.OrgAssociation(local, tenants.LocationID{Org: remote, Site: tenants.SiteID(bare(f.Site("west").ID))})
		if err != nil {
			return err
		}
		a.MapUsers = true
		if err := tx.PutOrgAssociation(a); err != nil {
			return err
		}
		return tx.Record(journal.Entry{
			At: time.Now(), Org: string(local), Actor: journal.System, Action: journal.OrgAssociated,
			Subject: journal.Subject{Kind: journal.KindOrgAssociation, ID: string(remote), Name: a.RemoteName},
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}
