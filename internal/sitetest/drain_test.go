package sitetest

import (
	"context"
	"net/http"
	"testing"
	"time"

	"causeway/internal/store/storetest"
)

// TestDrain_R14_SitesHearTheGoodbyeFirst: a site that drains is in no pool any more,
// and goes on serving whoever comes, from other sites too.
func TestDrain_R14_SitesHearTheGoodbyeFirst(t *testing.T) {
	p := Start(t, storetest.SQLite)
	c, acme := p.Client, bare(p.Client.Site("west").Org("acme").ID)
	id, _ := c.Account(t, "east", c.Login(t, "east", "acme"), "inventory-bot")
	access, _ := c.Connect(t, "east", "acme", id)
	heard := func(members int) func() bool {
		return func() bool { n, _ := p.Site("east").GossipMembers(); return n == members }
	}
	Eventually(t, 20*time.Second, "east hears west", heard(1))
	ctx, end := context.WithCancel(t.Context())
	defer end()
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		p.Site("west").Drain(ctx, 10*time.Minute)
	}()
	Eventually(t, 20*time.Second, "east hears that west leaves", heard(0))
	if got := c.Get(t, "east", "/sample/inventory", Bearer(access, tenantContext, acme)).Want(t, http.StatusOK).String(t, "site"); got != "west" {
		t.Errorf("the request was fulfilled at %s", got)
	}
	another := NewClient(t, p.File) // over a connection of its own
	defer another.Hangup()
	another.Get(t, "west", "/api/versions", nil).Want(t, http.StatusOK)
	another.Get(t, "west", "/lb-check", nil).Want(t, http.StatusServiceUnavailable)
	end()
	<-drained
	c.Hangup()
	if err := p.StopSite(t.Context(), "west"); err != nil {
		t.Error(err)
	}
}
