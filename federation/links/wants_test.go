package links

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"causeway/federation"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

// TestWants_R10: what is said of a site counts once, what sites say of themselves
// goes before what strangers do in their name, and no site is asked twice at once.
func TestWants_R10(t *testing.T) {
	w := newWants()
	for range 3 {
		w.add("a", stranger, 0)
	}
	w.add("b", due, 0)
	w.add("c", news, 7)
	w.add("d", stranger, 0)
	w.add("d", news, 9)
	w.add("d", news, 8)
	w.add("d", stranger, 0)
	taken := func() (list []string) {
		for {
			site, next, ok := w.take()
			if !ok {
				return list
			}
			list = append(list, fmt.Sprintf("%s %d %d", site, next.why, next.seq))
			w.add("c", news, 10) // while it is asked
		}
	}
	if got, want := taken(), []string{"c 0 7", "d 0 9", "b 1 0", "a 2 0"}; !slices.Equal(got, want) {
		t.Errorf("taken %q, want %q", got, want)
	}
	w.done("c")
	if got, want := taken(), []string{"c 0 10"}; !slices.Equal(got, want) {
		t.Errorf("taken %q when it was done, want %q", got, want)
	}
}

// TestKeepBundles_R10_OneSiteDoesNotDelayAnother: neither sites that keep us
// waiting nor whoever shows keys in their names put off a site's own news, which
// may be that a key was stolen.
func TestKeepBundles_R10_OneSiteDoesNotDelayAnother(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		held := []federation.SiteAssociation{association(t, there, "https://198.51.100.1/api", newRoot(t))}
		var slow []tenants.SiteID
		for i := range fetchers - 1 {
			id := tenants.SiteID(fmt.Sprintf("44444444-4444-4444-8444-%012d", i))
			slow = append(slow, id)
			held = append(held, association(t, id, fmt.Sprintf("https://198.51.100.2:%d/api", i+1), newRoot(t)))
		}
		asked, reached := make(chan string, 100), make(chan struct{}, 100)
		l := newLinksOver(t, db, func(ctx context.Context, _, addr string) (net.Conn, error) {
			if addr == "198.51.100.1:443" {
				reached <- struct{}{}
			} else {
				asked <- addr
			}
			<-ctx.Done()
			return nil, ctx.Err()
		}, held...)
		for range 2000 {
			for _, id := range slow {
				l.WantBundle(id, 0)
			}
			l.WantBundle(inside, 5) // not associated
		}
		if len(l.wants.waiting) != len(slow) {
			t.Errorf("%d wait", len(l.wants.waiting))
		}
		ctx, cancel := context.WithCancel(t.Context())
		var keeping sync.WaitGroup
		defer keeping.Wait()
		defer cancel()
		keeping.Go(func() { l.KeepBundles(ctx, func(context.Context) bool { return false }, slog.New(slog.DiscardHandler)) })
		begin := time.Now()
		for range slow {
			<-asked
			l.WantBundle(slow[0], 5) // more of the same
		}
		l.WantBundle(there, 5)
		<-reached
		if d := time.Since(begin); d > 4*time.Second { // a fetch gives up after five
			t.Errorf("the site was asked after %v, behind others", d)
		}
	})
}
