package gateway_test

import (
	"testing"
	"time"

	"causeway/internal/config"
	"causeway/internal/httpapi"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// What a peer asks for nobody is refused a few times and then before anything is
func TestPeer_R13_WhatIsAskedInVainIsCounted(t *testing.T) {
	w := start(t, storetest.SQLite, sitetest.Adjust(func(c *config.Config) {
		c.Limits.CrossingFailure = config.FailureLimits{OrgAtPeer: config.Budget{Tokens: 3, Per: time.Hour}, Peer: config.Budget{Tokens: 6, Per: time.Hour}}
	}))
	stranger := w.c.Login(t, "west", "acme") // east's acme takes no people
	id, _ := w.c.Account(t, "west", stranger, "inventory-bot")
	bot, _ := w.c.Connect(t, "west", "acme", id)
	ask := func(method, token string) sitetest.Answer {
		return w.do(t, "west", method, "/sample/inventory", sitetest.Bearer(token, httpapi.HeaderAuthContext, "acme-labs"), "")
	}
	spent := func() int { return len(query(t, w.sql["east"], "SELECT id FROM assertions")) }
	for range 10 {
		ask("GET", bot).Want(t, 200)
	}
	before := spent()
	for range 3 {
		ask("POST", stranger).Want(t, 403)
	}
	if n := spent() - before; n != 0 {
		t.Errorf("refused requests wrote %d rows", n)
	}
	for range 3 {
		if a := ask("POST", stranger).Want(t, 429); a.Header.Get("Retry-After") == "" || a.Header.Get("X-Causeway-Limited-By") == "" {
			t.Errorf("the refusal says neither when nor who: %v", a.Header)
		}
	}
	ask("GET", bot).Want(t, 429)
}
