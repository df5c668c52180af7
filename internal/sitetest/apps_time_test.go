package sitetest

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"causeway/internal/dev"
)

// What ends by itself ends on time, and what was ended does not come back.
func TestAppsTime(t *testing.T) {
	var ahead atomic.Int64
	clock := Clock(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	Each(t, func(t *testing.T, p *Pair) {
		ahead.Store(0)
		a := newAcme(t, p)
		pass := func(d time.Duration) {
			ahead.Add(int64(d))
			Eventually(t, 10*time.Second, "a login after the clock moved", func() bool {
				got, err := a.TryLogin("west", "acme")
				a.Token = got.Header.Get(accessToken)
				return err == nil && got.Status == http.StatusOK
			})
			Eventually(t, 10*time.Second, "the site follows the clock", func() bool {
				return a.Get(t, "west", CSP+"/userinfo", Bearer(a.Token)).Status == http.StatusOK
			})
		}
		t.Run("CSP-24 an access token that is over", func(t *testing.T) { a.over(t, pass) })
		t.Run("CSP-15 a role that is over", func(t *testing.T) { a.roleOver(t, pass, &ahead) })
		t.Run("CSP-40 a rotation that is over", func(t *testing.T) { a.rotationOver(t, pass) })
	}, clock, func(o *dev.Options) { o.Site = "west" })
}

func (a *acme) over(t *testing.T, pass func(time.Duration)) {
	app := a.NewApp(t, "accessTokenTTL", 600)
	a.Add(t, app.ID, "aoa:metrics")
	token := a.TokenOf(t, app)
	pass(9 * time.Minute)
	a.may(t, token, toQuery)
	pass(2 * time.Minute)
	a.refused(t, a.in, token, http.StatusUnauthorized, toQuery)
	a.may(t, a.TokenOf(t, app), toQuery)
}

func (a *acme) roleOver(t *testing.T, pass func(time.Duration), ahead *atomic.Int64) {
	app := a.NewApp(t, "accessTokenTTL", 18000)
	until := time.Now().Add(time.Duration(ahead.Load()) + 20*time.Minute).Unix()
	a.Ask(t, "POST", "/clients", map[string]any{"ids": []string{app.ID}, "serviceRoles": []any{map[string]any{
		"serviceDefinitionId": Operations, "serviceRoles": []any{map[string]any{"name": "aoa:metrics", "expiresAt": until}, map[string]any{"name": "aoa:viewer"}},
	}}}).Want(t, 200)
	token := a.TokenOf(t, app)
	a.may(t, token, toQuery)
	pass(21 * time.Minute)
	a.mayNot(t, token, toQuery)
	if says := string(segment(t, a.TokenOf(t, app), 1)); strings.Contains(says, "aoa:metrics") {
		t.Errorf("the next token says %s", says)
	}
}

func (a *acme) rotationOver(t *testing.T, pass func(time.Duration)) {
	app := a.NewApp(t, "accessTokenTTL", 18000)
	a.Add(t, app.ID, "aoa:metrics")
	next := App{app.ID, strings.Repeat("Later.Secret_", 4)}
	a.Ask(t, "POST", "/oauth-apps/"+app.ID+"/secret", map[string]any{"newClientSecret": next.Secret, "secretRotationExpirationInSeconds": 3600}).Want(t, 200)
	token, fresh := a.TokenOf(t, app), a.TokenOf(t, next)
	pass(59 * time.Minute)
	a.may(t, token, toQuery)
	a.Exchange(t, "west", app).Want(t, 200)
	pass(2 * time.Minute)
	a.refused(t, a.in, token, http.StatusUnauthorized, toQuery)
	WantCSPError(t, a.Exchange(t, "west", app), http.StatusUnauthorized)
	a.may(t, fresh, toQuery)
}

// Who exchanges while a secret is replaced gets nothing that lasts: whatever the old
// one obtained, before or meanwhile, is refused when the answer with the new one is
// there.
func TestAppsRegenerate_CSP_40_CSP_41_R4_Meanwhile(t *testing.T) {
	Each(t, func(t *testing.T, p *Pair) {
		a := newAcme(t, p)
		app, _ := a.AppWith(t, "aoa:metrics")
		for range 5 {
			var mu sync.Mutex
			var got []string
			var done atomic.Bool
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					for !done.Load() {
						answer := a.Exchange(t, "west", app)
						if answer.Status == http.StatusOK {
							mu.Lock()
							got = append(got, answer.String(t, "access_token"))
							mu.Unlock()
						}
					}
				})
			}
			Eventually(t, 10*time.Second, "some tokens", func() bool {
				mu.Lock()
				defer mu.Unlock()
				return len(got) >= 10
			})
			made := a.Ask(t, "PUT", "/oauth-apps/"+app.ID+"/secret", map[string]any{}).Want(t, 200)
			WantCSPError(t, a.Exchange(t, "west", app), http.StatusUnauthorized)
			done.Store(true)
			all.Wait()
			for _, token := range got {
				a.refused(t, a.in, token, http.StatusUnauthorized, toQuery)
			}
			app.Secret = made.String(t, "clientSecret")
			a.may(t, a.TokenOf(t, app), toQuery)
		}
	})
}
