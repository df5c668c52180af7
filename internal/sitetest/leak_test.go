package sitetest

import (
	"context"
	"net/http"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"causeway/internal/config"
	"causeway/internal/dev"
	"causeway/internal/porttest"
	"causeway/internal/store/storetest"
)

// TestSites_R13_R15_StopLeavesNothing: what two sites began for requests, for each
// other, for an instance and for a webhook that nobody answers ends with them, and so
// do their files and connections.
func TestSites_R13_R15_StopLeavesNothing(t *testing.T) {
	for _, kind := range []storetest.Kind{storetest.SQLite, storetest.Postgres} {
		t.Run(string(kind), func(t *testing.T) {
			databases := map[string]string{}
			if kind != storetest.SQLite {
				databases = map[string]string{"west": storetest.URL(t, kind), "east": storetest.URL(t, kind)}
			}
			before, files := goleak.IgnoreCurrent(), openFiles()
			base := porttest.Base(t)
			d, err := dev.Start(context.Background(), dev.Options{Folder: t.TempDir(), Base: &base, Databases: databases, Adjust: quiet(func(c *config.Config) {
				c.Tracing = &config.Tracing{Endpoint: "http://127.0.0.1:9", Ratio: 1}
			})})
			if err != nil {
				t.Fatal(err)
			}
			c := NewClient(t, d.File)
			useEverything(t, c)
			c.Hangup()
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			if err := d.Stop(ctx); err != nil {
				t.Error(err)
			}
			if err := goleak.Find(before); err != nil {
				t.Error(err)
			}
			if files < 0 {
				t.Skip("only Linux shows whether files are left open; nothing else is")
			}
			Eventually(t, 10*time.Second, "all files are closed", func() bool { return openFiles() <= files })
		})
	}
}

// useEverything has each part of both sites work.
func useEverything(t *testing.T, c *Client) {
	t.Helper()
	provider, admin := c.Login(t, "west", System), c.Login(t, "west", "acme")
	c.Post(t, "west", "/cloudapi/causeway/1.0.0/auditWebhooks", Bearer(provider), map[string]any{"name": "nobody", "url": "https://127.0.0.1:9/"}).Want(t, http.StatusCreated)
	id, _ := c.Account(t, "west", admin, "inventory-bot")
	access, _ := c.Connect(t, "west", "acme", id)
	c.Get(t, "west", "/sample/inventory", Bearer(access)).Want(t, http.StatusOK)
	c.Get(t, "west", "/sample/inventory", Bearer(access, authContext, "acme-labs")).Want(t, http.StatusOK) // which is at east
	c.Get(t, "west", "/cloudapi/1.0.0/orgs", Bearer(admin)).Want(t, http.StatusOK)
}

// openFiles is how many this process has, connections among them; -1 where the system
// does not show it.
func openFiles() int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(list)
}
