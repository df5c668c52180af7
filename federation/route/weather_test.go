package route

import (
	"reflect"
	"slices"
	"testing"

	"causeway/federation"
	"causeway/tenants"
)

// meaning is what a name stands for, whether or not it can be reached now.
type meaning struct {
	org        tenants.OrgID
	site       tenants.SiteID
	candidates []tenants.LocationID
}

func meaningOf(w *world, auth string) meaning {
	d := Decide(Input{Self: self, Session: tenantSession, AuthContext: auth, View: w})
	return meaning{d.Org, d.Site, d.Candidates}
}

// TestNameMeansTheSameInAnyWeather_R10_VCD39: once both sides hold an association,
// no state of it or of its site changes what a name means. Otherwise whoever has
// the name of another would be sent its requests while that one's site is ill.
func TestNameMeansTheSameInAnyWeather_R10_VCD39(t *testing.T) {
	confirmed := []federation.Status{federation.StatusActive, federation.Unreachable, federation.StatusError}
	for _, w := range everyWorld() {
		for _, auth := range []string{"Beta", "Acme", "Shared", "Gamma", "Ours"} {
			want := meaningOf(w, auth)
			for i, a := range w.assocs {
				if a.Site == self || a.Status == federation.Asymmetric {
					continue
				}
				for _, status := range confirmed {
					other := *w
					other.assocs = slices.Clone(w.assocs)
					other.assocs[i].Status = status
					if got := meaningOf(&other, auth); !reflect.DeepEqual(got, want) {
						t.Fatalf("%q is %+v, and %+v while %s is %s; all %+v", auth, want, got, a.Location(), status, w.assocs)
					}
				}
			}
			for site, p := range w.peers {
				if p.Status == federation.Asymmetric {
					continue
				}
				for _, status := range confirmed {
					other := *w
					other.peers = map[tenants.SiteID]PeerState{siteB: w.peers[siteB], siteC: w.peers[siteC], site: {Status: status}}
					if _, held := w.peers[siteB]; !held {
						delete(other.peers, siteB)
					}
					if got := meaningOf(&other, auth); !reflect.DeepEqual(got, want) {
						t.Fatalf("%q is %+v, and %+v while site %s is %s; all %+v", auth, want, got, site, status, w.assocs)
					}
				}
			}
		}
	}
}
