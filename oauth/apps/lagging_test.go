package apps_test

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/oauth/apps"
	"causeway/services"
	"causeway/tenants"
)

// lagging is another cell at the same database, which the rows of the journal reach
// when they are let.
type lagging struct {
	*cell
	apps   *apps.Service
	tokens *oauth.Authenticator
	orgs   *tenants.Directory
	from   int64
}

func (c *cell) lagging() *lagging {
	c.t.Helper()
	l := &lagging{cell: c, from: c.head()}
	keys, err := secret.NewKeys(bytes.Repeat([]byte{7}, 32))
	c.must(err)
	l.orgs, err = tenants.NewDirectory(c.db.Tenants(), 100)
	c.must(err)
	service := oauth.New(oauth.Config{Store: c.db.OAuth(), Directory: l.orgs, Keys: keys, Site: homeSite, Now: c.now, Policy: oauth.Policy{
		PublicURL: "https://here", ServiceIssuer: "https://here/csp/gateway/am/api",
		IdleTimeout: 30 * time.Minute, UserLifetime: 24 * time.Hour, AccountLifetime: 720 * time.Hour,
	}})
	c.must(service.Start(c.ctx()))
	l.tokens, err = service.NewAuthenticator(homeSite, 1000, func() bool { return true })
	c.must(err)
	l.apps, err = apps.New(apps.Config{Store: c.db.Apps(), Directory: l.orgs, Keys: keys, Signer: service, Site: homeSite, Now: c.now})
	c.must(err)
	l.tokens.Apps = l.apps
	return l
}

// catchUp has the cell read the journal.
func (l *lagging) catchUp() {
	l.t.Helper()
	for _, row := range l.since(l.from) {
		for _, f := range []journal.Follower{l.orgs, l.apps, l.tokens} {
			f.Apply(row)
		}
	}
	l.from = l.head()
}

func (l *lagging) exchange(k client) error {
	_, err := l.apps.Exchange(l.ctx(), callerOf(tenants.Principal{}), apps.Exchange{Client: []apps.Credentials{{ID: string(k.id), Secret: k.secret}}})
	return err
}

func (l *lagging) authenticate(token secret.Text) error {
	_, err := l.tokens.Authenticate(l.ctx(), token.Reveal())
	return err
}

const another = secret.Text("0123456789012345678901234567890123456789")

// A token that another cell gave out is good here at once, although what is
// remembered here is older, and stays good when the rows about it come.
func TestHolder_R4_CSP_42_NewerThanWhatIsRemembered(t *testing.T) {
	t.Parallel()
	for name, renew := range map[string]func(*cell, *client){
		"regenerated": func(c *cell, k *client) {
			fresh, err := c.apps.Regenerate(c.ctx(), c.owner(c.a), c.a, k.id)
			c.must(err)
			k.secret = fresh
		},
		"rotated": func(c *cell, k *client) {
			c.must(c.apps.Rotate(c.ctx(), c.owner(c.a), c.a, k.id, another, 0))
			k.secret = another
		},
		"added anew": func(c *cell, k *client) {
			failures, err := c.apps.RemoveMembers(c.ctx(), c.owner(c.a), c.a, []string{string(k.id)})
			c.must(err)
			if len(failures) > 0 {
				c.t.Fatal(failures)
			}
			c.pass(time.Second)
			c.add(c.a, string(k.id), org(services.OrgMember))
		},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				c := newCell(t, db)
				k := c.create()
				c.add(c.a, string(k.id), org(services.OrgMember))
				l := c.lagging()
				before := c.token(k, c.a)
				c.must(l.authenticate(before))
				renew(c, &k)
				token := c.token(k, c.a)
				reads := db.Statements()
				var wg sync.WaitGroup
				for range 8 {
					wg.Go(func() {
						if err := l.authenticate(token); err != nil {
							t.Errorf("before the rows come: %v", err)
						}
					})
				}
				wg.Wait()
				if n := db.Statements() - reads; n > 12 {
					t.Errorf("a newer token costs %d statements", n)
				}
				l.catchUp()
				c.must(l.authenticate(token))
				if name != "rotated" {
					wantProblem(t, l.authenticate(before), problem.Unauthenticated)
				}
			})
		})
	}
}

// What the database says is over costs it one reading; what only memory says is
// judged anew when memory is.
func TestHolder_R4_OverIsWhatTheDatabaseSays(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		k := c.create()
		c.add(c.a, string(k.id), org(services.OrgMember))
		l := c.lagging()
		token := c.token(k, c.a)
		var err error
		k.secret, err = c.apps.Regenerate(c.ctx(), c.owner(c.a), c.a, k.id)
		c.must(err)
		wantProblem(t, l.authenticate(token), problem.Unauthenticated)
		l.apps.Flush()
		before := db.Statements()
		wantProblem(t, l.authenticate(token), problem.Unauthenticated)
		if n := db.Statements() - before; n != 0 {
			t.Errorf("a token that is over costs %d statements once more", n)
		}
	})
}

// A secret that was set at another cell works here at once, and so does an app that was
// asked for before it was made; the one before goes no further.
func TestIdentify_CSP_42_NewerThanWhatIsRemembered(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		k := c.create()
		c.add(c.a, string(k.id), org(services.OrgMember))
		l := c.lagging()
		c.must(l.exchange(k))
		young := client{id: "later-made", secret: another}
		wantProblem(t, l.exchange(young), problem.InvalidClient)
		before := k
		var err error
		k.secret, err = c.apps.Regenerate(c.ctx(), c.owner(c.a), c.a, k.id)
		c.must(err)
		c.create(func(d *apps.Draft) { d.ID, d.Secret = string(young.id), another })
		c.add(c.a, string(young.id), org(services.OrgMember))
		for range 2 {
			c.must(l.exchange(k))
			c.must(l.exchange(young))
			wantProblem(t, l.exchange(before), problem.InvalidClient)
		}
		c.must(c.apps.DeleteOne(c.ctx(), c.owner(c.a), c.a, k.id))
		c.pass(time.Second)
		wantProblem(t, l.exchange(before), problem.InvalidClient)
		wantProblem(t, l.exchange(k), problem.InvalidClient)
		l.catchUp()
		c.must(l.exchange(young))
	})
}

// Wrong secrets do not reach the database as often as they are sent, however many are
// sent at once.
func TestIdentify_R13_WrongSecretsAreAskedAboutOnceInASecond(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		k := c.create()
		c.add(c.a, string(k.id), org(services.OrgMember))
		c.token(k, c.a)
		for _, id := range []string{string(k.id), "nobody-here"} {
			wrong := []apps.Credentials{{ID: id, Secret: another}}
			_, _, _ = c.apps.Identify(c.ctx(), wrong)
			for range 3 {
				c.pass(time.Second)
				before := db.Statements()
				var wg sync.WaitGroup
				for range 30 {
					wg.Go(func() {
						_, _, err := c.apps.Identify(c.ctx(), wrong)
						wantProblem(t, err, problem.InvalidClient)
					})
				}
				wg.Wait()
				if n := db.Statements() - before; n != 1 {
					t.Errorf("30 wrong secrets of %s in a second cost %d statements", id, n)
				}
			}
		}
	})
}
