package apps_test

import (
	"bytes"
	"context"
	"runtime"
	"sync"
	"testing"

	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/oauth/apps"
	"causeway/services"
	"causeway/tenants"
)

// slow signs when it is let.
type slow struct{ let chan struct{} }

func (s slow) SignServiceToken(context.Context, oauth.ServiceToken) (string, error) {
	<-s.let
	return "token", nil
}

// Of many exchanges at once those beyond what can wait are sent away with 503; one app
// leaves room for others, and everybody in the room is served.
func TestExchange_R13_CSP_34_MoreThanCanWait(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		keys, err := secret.NewKeys(bytes.Repeat([]byte{7}, 32))
		c.must(err)
		signer := slow{make(chan struct{})}
		c.apps, err = apps.New(apps.Config{Store: db.Apps(), Directory: c.orgs, Keys: keys, Signer: signer, Site: homeSite, Now: c.now})
		c.must(err)
		var wg sync.WaitGroup
		refused := make(chan error)
		flood := func(k client, fit int) {
			const more = 10
			for range fit + more {
				wg.Go(func() {
					_, err := c.apps.Exchange(context.Background(), callerOf(tenants.Principal{}), apps.Exchange{Client: []apps.Credentials{{ID: string(k.id), Secret: k.secret}}})
					if err != nil {
						refused <- err
					}
				})
			}
			for range more {
				if p := problem.From(<-refused); p.Code != problem.Unavailable || p.RetryAfter <= 0 {
					t.Errorf("refused with %v", p)
				}
			}
		}
		seats := 4 * runtime.GOMAXPROCS(0)
		var all []client
		for range 3 {
			k := c.create()
			c.add(c.a, string(k.id), org(services.OrgMember))
			all = append(all, k)
		}
		flood(all[0], seats+128)
		flood(all[1], 128)
		flood(all[2], 0)
		close(signer.let)
		go func() { wg.Wait(); close(refused) }()
		for err := range refused {
			t.Errorf("who waited is refused with %v", err)
		}
		_, err = c.exchange(all[2], "")
		c.must(err)
	})
}
