package doctor

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"causeway/internal/config"
	"causeway/internal/store"
	"causeway/services"
)

// atOnce bounds how many are asked at a time.
const atOnce = 16

// upstream is one URL of a service.
type upstreamURL struct{ of, url, health string }

// upstreams asks every upstream from this machine how it is.
func (e *examination) upstreams(ctx context.Context, c *config.Config, db *store.DB) {
	var all []upstreamURL
	for _, s := range c.Services {
		all = append(all, upstreamURL{"service " + s.Name + " of the configuration", s.Upstream, ""})
	}
	if db != nil {
		instances, err := instancesOf(ctx, db)
		if err != nil {
			e.skip("services", "The database does not tell which service instances there are: %v", err)
		}
		for _, in := range instances {
			for _, u := range in.Upstreams {
				all = append(all, upstreamURL{"service instance " + in.Name + " of organization " + string(in.Org), u, in.Health.Path})
			}
		}
	}
	bad := e.each(len(all), func(i int) bool {
		u := all[i]
		err := askUpstream(ctx, u)
		if err != nil {
			e.fail("services", advice{"Requests to it are answered 502 or 503.", "Start it, correct its address, or let this machine through to it."}, "The upstream %s of %s does not answer: %v", u.url, u.of, err)
		}
		return err == nil
	})
	if bad == 0 {
		e.ok("services", "%d upstreams of services answer.", len(all))
	}
}

// each does n things, some at once, and counts those that were not good.
func (e *examination) each(n int, do func(i int) bool) (bad int) {
	var wait sync.WaitGroup
	var mu sync.Mutex
	slots := make(chan struct{}, atOnce)
	for i := range n {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if !do(i) {
				mu.Lock()
				defer mu.Unlock()
				bad++
			}
		})
	}
	wait.Wait()
	return bad
}

func instancesOf(ctx context.Context, db *store.DB) (enabled []services.ServiceInstance, err error) {
	err = db.Services().View(ctx, func(r services.Reader) error {
		list, err := r.EveryInstance()
		enabled = nil
		for _, in := range list {
			if in.Enabled {
				enabled = append(enabled, in)
			}
		}
		return err
	})
	return enabled, err
}

// askUpstream asks as a cell would: by the health check, or else by connecting.
func askUpstream(ctx context.Context, u upstreamURL) error {
	to, err := url.Parse(u.url)
	if err != nil {
		return err
	}
	if u.health == "" {
		port := to.Port()
		if port == "" {
			port = map[string]string{"http": "80", "https": "443"}[to.Scheme]
		}
		return reach(ctx, net.JoinHostPort(to.Hostname(), port))
	}
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: noRedirect}
	res, err := get(ctx, client, strings.TrimRight(u.url, "/")+u.health, nil)
	if err != nil {
		return err
	}
	return res.good()
}
