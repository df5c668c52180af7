package appshttp_test

import (
	"fmt"
	"testing"

	"github.com/gin-gonic/gin"

	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

// kept are refusals of which the answer was none.
type kept []string

func (k *kept) KeepRefusal(_ *gin.Context, err error) {
	p := problem.From(err)
	*k = append(*k, string(p.Code)+" "+p.Facts[problem.FactAccount])
}

// What is refused of several things is in the audit trail, though the answer is 200.
func TestPartialFailuresAreKept_R7(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		d.kept = &kept{}
		strong, weak := d.app(), d.app()
		d.ask("POST", "/clients", `{"ids":["`+strong+`"],"organizationRoleNames":["org_owner"]}`, 200)
		d.by = d.person(d.a, tenants.RightOrgAdministrator, tenants.RightOrgDeveloper)
		for _, tt := range []struct{ method, path, body, want string }{
			{"POST", "/clients", `{"ids":["` + weak + `","unknown-app","no id"]}`, "[not_found unknown-app not_found ]"},
			{"DELETE", "/clients", `{"ids":["` + weak + `","` + strong + `"]}`, "[forbidden " + strong + "]"},
			{"DELETE", "/oauth-apps", `{"clientIdsToDelete":["` + weak + `","` + strong + `","no id"]}`, "[forbidden " + strong + " not_found ]"},
		} {
			*d.kept = nil
			d.ask(tt.method, tt.path, tt.body, 200)
			if got := fmt.Sprint([]string(*d.kept)); got != tt.want {
				t.Errorf("%s %s: %s, want %s", tt.method, tt.path, got, tt.want)
			}
		}
	})
}
