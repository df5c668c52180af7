package httpapi

import (
	"context"
	"net/http"
	"testing"

	"github.com/gin-gonic/gin"

	"causeway/internal/problem"
	"causeway/tenants"
)

// asked counts what is looked for among organizations.
type asked struct {
	tenants.Store
	times int
}

func (a *asked) View(context.Context, func(tenants.Reader) error) error {
	a.times++
	return problem.Hidden()
}

// Only people of the provider act in organizations that are not theirs: not what acts
// for another site, and no app, were it the provider's own.
func TestPathOrg_R6_CSP_16(t *testing.T) {
	for name, tt := range map[string]struct {
		who  tenants.Principal
		asks int
	}{
		"provider":              {tenants.Principal{Kind: tenants.KindUser, Org: tenants.SystemOrgID}, 1},
		"app of the provider":   {tenants.Principal{Kind: tenants.KindApp, Org: tenants.SystemOrgID}, 0},
		"provider of elsewhere": {tenants.Principal{Kind: tenants.KindUser, Org: tenants.SystemOrgID, Via: "elsewhere"}, 0},
		"tenant":                {tenants.Principal{Kind: tenants.KindUser, Org: "tenant"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			store := &asked{}
			orgs, err := tenants.NewDirectory(store, 10)
			if err != nil {
				t.Fatal(err)
			}
			c, _ := newContext(t, http.MethodGet, "/", nil)
			c.Params = gin.Params{{Key: "org", Value: tenants.NewID()}}
			_, err = PathOrg(c, Call{Caller: tenants.Caller{Principal: tt.who}, Org: &tenants.Snapshot{}}, orgs)
			wantProblem(t, err, problem.NotFound)
			if store.times != tt.asks {
				t.Errorf("looked for %d times, want %d", store.times, tt.asks)
			}
		})
	}
}
