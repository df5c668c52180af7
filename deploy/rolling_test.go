package deploy

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"causeway/internal/sitetest"
)

// load asks for the current session without a pause, with clients that keep their
// connections and others that do not.
type load struct {
	asked  atomic.Int64
	failed atomic.Int64
	first  atomic.Pointer[string] // that failed
	done   chan struct{}
	wait   sync.WaitGroup
}

func (f *front) load(t *testing.T, token string) *load {
	l := &load{done: make(chan struct{})}
	for i := range 4 {
		c := f.from(t, "127.0.0.1")
		c.Transport.(*http.Transport).DisableKeepAlives = i%2 == 0
		l.wait.Go(func() { l.ask(c, f.Client.Site("west").API, token) })
	}
	return l
}

func (l *load) ask(c *http.Client, api, token string) {
	for {
		select {
		case <-l.done:
			return
		default:
		}
		if why := current(c, api, token); why != "" {
			l.failed.Add(1)
			l.first.CompareAndSwap(nil, &why)
		}
		l.asked.Add(1)
	}
}

// current is what is wrong with an answer to who somebody is.
func current(c *http.Client, api, token string) string {
	r, err := http.NewRequest(http.MethodGet, api+"/cloudapi/1.0.0/sessions/current", nil)
	if err != nil {
		return err.Error()
	}
	r.Header = sitetest.Bearer(token)
	res, err := c.Do(r)
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err.Error()
	}
	if res.StatusCode != http.StatusOK {
		return res.Status + "\n" + string(body)
	}
	return ""
}

// more waits until n more requests have been asked.
func (l *load) more(t *testing.T, n int64) {
	t.Helper()
	goal := l.asked.Load() + n
	sitetest.Eventually(t, time.Minute, "requests are answered", func() bool { return l.asked.Load() >= goal })
}

func (l *load) stop() { close(l.done); l.wait.Wait() }

// wantNoneFailed stops one of two cells while clients ask.
func (f *front) wantNoneFailed(t *testing.T) {
	t.Helper()
	begun := f.served(t)
	l := f.load(t, f.Client.Login(t, "west", sitetest.System))
	sitetest.Eventually(t, 20*time.Second, "both cells serve", func() bool {
		n := f.served(t)
		return n[0] > begun[0]+20 && n[1] > begun[1]+20
	})
	f.stopSecond(t)
	before := l.asked.Load()
	l.more(t, 200)
	l.stop()
	if n := l.failed.Load(); n > 0 {
		t.Errorf("%d of %d requests failed, the first with %s", n, l.asked.Load(), *l.first.Load())
	}
	t.Logf("%d requests, %d of them after the second cell had stopped; none may fail", l.asked.Load(), l.asked.Load()-before)
}
