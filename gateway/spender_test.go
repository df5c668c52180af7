package gateway

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/ratelimit"
	"causeway/tenants"
)

// A peer that asks as often as it may, for whichever accounts, leaves those at home
// and other peers what is theirs.
func TestLimited_R13_APeerSpendsNoAccountsBudget(t *testing.T) {
	begin := time.Now()
	limits, err := ratelimit.New(ratelimit.Config{
		Limits: ratelimit.Limits{ratelimit.Management: {
			ratelimit.PerAccount: {Tokens: 3, Per: time.Hour}, ratelimit.PerOrg: {Tokens: 12, Per: time.Hour},
		}},
		Now: func() time.Time { return begin },
	})
	if err != nil {
		t.Fatal(err)
	}
	do := limited(limits, func(*gin.Context, httpapi.Call) error { return nil })
	org := &tenants.Snapshot{Organization: tenants.Organization{ID: "acme"}}
	ask := func(id string, via tenants.SiteID) error {
		c, _ := gin.CreateTestContext(httptest.NewRecorder())
		return do(c, httpapi.Call{Caller: tenants.Caller{Principal: tenants.Principal{ID: id, Via: via}}, Org: org})
	}
	for n, account := range []string{"bot", "bot", "other", "bot", "third"} {
		if err := ask(account, "east"); problem.Has(err, problem.TooManyRequests) != (n >= 3) {
			t.Errorf("request %d of the peer, by %s: %v", n+1, account, err)
		}
	}
	for n, err := range []error{ask("bot", ""), ask("bot", ""), ask("bot", ""), ask("other", ""), ask("bot", "north")} {
		if err != nil {
			t.Errorf("request %d beside the peer's flood: %v", n+1, err)
		}
	}
	if err := ask("bot", ""); !problem.Has(err, problem.TooManyRequests) {
		t.Errorf("an account of this site spends without end: %v", err)
	}
}
