package tenantshttp

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"causeway/internal/problem"
	"causeway/ratelimit"
)

// What is read of limits is a set that the limiter can judge, or the client's
// mistake; and what passes both is what the limiter then keeps to.
func FuzzOrgLimits(f *testing.F) {
	for _, seed := range []string{
		`{"limits":[]}`, `{}`, `{"limits":null}`, `{"limits":[null]}`,
		`{"limits":[{"limit":"management","bucket":"account","tokens":20,"per":"1s","burst":100}]}`,
		`{"limits":[{"limit":"user_code","bucket":"org","tokens":60,"per":"1h"},{"limit":"user_code","bucket":"org","tokens":-1,"per":"-1h","burst":9}]}`,
		`{"limits":[{"limit":"token_refresh","bucket":"org","tokens":1000000,"per":"1ns","burst":1000000}]}`,
		`{"limits":[{"limit":"device_authorization","bucket":"org","tokens":1,"per":"2562047h"}]}`,
	} {
		f.Add(seed)
	}
	limiter, err := ratelimit.New(ratelimit.Config{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		limits, err := parseOrgLimits(httptest.NewRequest(http.MethodPut, "/", strings.NewReader(body)))
		if err != nil {
			if !problem.Has(err, problem.BadRequest) {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		valid := limiter.ValidateOrg(limits) == nil
		limiter.SetOrgs([]ratelimit.OrgLimits{{ID: "id", Name: "name", Limits: limits}})
		d := limiter.Take(ratelimit.Management, ratelimit.Account("ada"), ratelimit.Org("id"))
		if own, ok := limits[ratelimit.Management][ratelimit.PerAccount]; ok && valid && d.Quota != own.Burst {
			t.Errorf("%q: a bucket of %d, want %d", body, d.Quota, own.Burst)
		}
	})
}
