package rig

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// everywhere reads the roles of a site's app at all sites, page by page: the
// organizations that show them, and the locations that are missing.
func (p *place) everywhere(t *testing.T) (orgs, missing []string) {
	t.Helper()
	for next := p.url() + appPath + "?pageSize=4"; next != ""; {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, next, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+p.token.Load().Reveal())
		r.Header.Set("Accept", "application/json;multisite=global")
		res, err := p.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		var page struct {
			ResultTotal, PageCount, Page int
			Values                       []struct{ ID, Name string }
		}
		err = json.NewDecoder(res.Body).Decode(&page)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%d, %v", res.StatusCode, err)
		}
		for _, v := range page.Values {
			orgs = append(orgs, v.ID)
		}
		missing = res.Header.Values("X-Causeway-Multisite-Warning")
		next = ""
		if page.Page < page.PageCount {
			next = fmt.Sprintf("%s%s?pageSize=4&page=%d", p.url(), appPath, page.Page+1)
		}
	}
	return orgs, missing
}

// TestLists_R11_FiveSites: a list of five sites is that of each after the other,
// and without one that cannot be reached it is there, in time.
func TestLists_R11_I8_FiveSites(t *testing.T) {
	script, err := Parse("site north\nsite south\nsite east\nsite west\nsite middle\nassociate all\n\nat 5s cut north south\n   cut middle south\nend 8s\n")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w, err := New(t.Context(), Config{Script: script, Folder: folder})
		if err != nil {
			t.Fatal(err)
		}
		north := w.site("north")
		time.Sleep(30 * time.Second) // of fake time, until contact has said that all are complete
		all, missing := north.everywhere(t)
		each := len(all) / 5
		if len(missing) > 0 || each == 0 || len(all) != 5*each || len(slices.Compact(slices.Sorted(slices.Values(all)))) < 5 {
			t.Errorf("%d roles at five sites, without %s", len(all), missing)
		}
		w.Run(t.Context(), nil)
		for range 2 {
			start := time.Now()
			some, missing := north.everywhere(t)
			if len(missing) != 1 || len(some) != 4*each {
				t.Errorf("%d roles of %d at four sites, without %s", len(some), len(all), missing)
			}
			if took := time.Since(start); took > 40*time.Second {
				t.Errorf("took %v", took)
			}
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		time.Sleep(5 * time.Minute) // see play
	})
}
