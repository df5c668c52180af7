package apps_test

import (
	"bytes"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/oauth"
	"causeway/oauth/apps"
	"causeway/services"
	"causeway/tenants"
)

// cell is a stage whose apps service and authenticator follow the journal, as those of
// a running site do.
type cell struct {
	*stage
	tokens *oauth.Authenticator
	orgs   *tenants.Directory
	signer *oauth.Service
	stale  bool
}

func newCell(t *testing.T, db *store.DB, tweaks ...func(*stage)) *cell {
	t.Helper()
	c := &cell{stage: newStage(t, db, tweaks...)}
	keys, err := secret.NewKeys(bytes.Repeat([]byte{7}, 32))
	c.must(err)
	c.orgs, err = tenants.NewDirectory(db.Tenants(), 100)
	c.must(err)
	service := oauth.New(oauth.Config{
		Store: db.OAuth(), Directory: c.orgs, Keys: keys, Site: homeSite, Now: c.now, Policy: oauth.Policy{
			PublicURL: "https://here", ServiceIssuer: "https://here/csp/gateway/am/api",
			IdleTimeout: 30 * time.Minute, UserLifetime: 24 * time.Hour, AccountLifetime: 720 * time.Hour,
		},
	})
	c.must(service.Start(c.ctx()))
	c.signer = service
	fresh := func() bool { return !c.stale }
	c.tokens, err = service.NewAuthenticator(homeSite, 1000, fresh)
	c.must(err)
	c.apps, err = apps.New(apps.Config{
		Store: db.Apps(), Directory: c.orgs, Keys: keys, Signer: service, Peers: c.peers, Site: homeSite, Now: c.now, Fresh: fresh,
		Policy: c.policy,
	})
	c.must(err)
	c.tokens.Apps = c.apps
	tail, err := journal.New(journal.TailConfig{
		Source: db.Journal(), Followers: []journal.Follower{c.orgs, c.apps, c.tokens}, Interval: 5 * time.Millisecond, Stale: time.Minute,
	})
	c.must(err)
	tail.Start()
	t.Cleanup(tail.Stop)
	c.must(tail.WaitFor(c.ctx(), 0))
	db.Follow(tail)
	t.Cleanup(func() { db.Follow(nil) })
	return c
}

// client is an app and its secret.
type client struct {
	id     apps.ID
	secret secret.Text
}

// everything is a ceiling that bounds nothing.
func (c *cell) everything() services.Ceiling {
	return services.Ceiling{AllOrg: true, Services: []services.ServiceCeiling{{Definition: c.kind.ID, All: true}}}
}

// create is a new app of a.
func (c *cell) create(tweaks ...func(*apps.Draft)) client {
	c.t.Helper()
	d := draft(c.everything())
	for _, tweak := range tweaks {
		tweak(&d)
	}
	a, s, err := c.apps.Create(c.ctx(), c.owner(c.a), c.a, d)
	c.must(err)
	return client{a.ID, s}
}

func (c *cell) exchange(k client, org string) (apps.Issued, error) {
	return c.apps.Exchange(c.ctx(), callerOf(tenants.Principal{}), apps.Exchange{
		Client: []apps.Credentials{{ID: string(k.id), Secret: k.secret}}, Org: org,
	})
}

func (c *cell) token(k client, org tenants.OrgID) secret.Text {
	c.t.Helper()
	issued, err := c.exchange(k, string(org))
	c.must(err)
	return issued.Access
}

// wantAlive asks a cell that has seen the token and one that has not.
func (c *cell) wantAlive(token secret.Text, alive bool) {
	c.t.Helper()
	_, err := c.tokens.Authenticate(c.ctx(), token.Reveal())
	switch {
	case alive:
		c.must(err)
	case !problem.Has(err, problem.Unauthenticated):
		c.t.Errorf("the token ends with %v", err)
	}
}
