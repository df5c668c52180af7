// Package sitetest gives a test two associated sites: real listeners, real
// certificates, real gossip on loopback, and a client that speaks to them as an
// administrator or an app would.
package sitetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"causeway/internal/config"
	"causeway/internal/dev"
	"causeway/internal/porttest"
	"causeway/internal/site"
	"causeway/internal/store/storetest"
)

// Option changes how the sites are set up.
type Option func(*dev.Options)

// Adjust changes the configuration of each site.
func Adjust(f func(*config.Config)) Option { return func(o *dev.Options) { o.Adjust = f } }

// Clock gives the sites another clock.
func Clock(now func() time.Time) Option { return func(o *dev.Options) { o.Now = now } }

// Pair is two associated sites, west and east, with the organizations of
// `causeway dev`.
type Pair struct {
	*dev.Dev
	Client *Client
}

// Each runs f on a pair of sites on each database, as the subtests "sqlite" and
// "postgres".
func Each(t *testing.T, f func(t *testing.T, p *Pair), options ...Option) {
	t.Helper()
	for _, kind := range []storetest.Kind{storetest.SQLite, storetest.Postgres} {
		t.Run(string(kind), func(t *testing.T) { f(t, Start(t, kind, options...)) })
	}
}

// Start starts a pair that lives as long as the test.
func Start(t testing.TB, kind storetest.Kind, options ...Option) *Pair {
	t.Helper()
	base := porttest.Base(t)
	o := dev.Options{Folder: t.TempDir(), Base: &base}
	o.Databases = unfold(t, kind, o.Folder)
	for _, option := range options {
		option(&o)
	}
	o.Adjust = quiet(o.Adjust)
	d, err := dev.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	p := &Pair{Dev: d, Client: NewClient(t, d.File)}
	t.Cleanup(func() {
		p.Client.Hangup()
		// The other site keeps connections, which net/http gives a second to go away. What
		// is still asked at the end of a test may be cut; that a stop waits has its own tests.
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		if err := butCut(d.Stop(ctx)); err != nil {
			t.Errorf("stopping the sites: %v", err)
		}
	})
	return p
}

// butCut is what else went wrong than that requests were cut.
func butCut(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var rest []error
		for _, e := range joined.Unwrap() {
			rest = append(rest, butCut(e))
		}
		return errors.Join(rest...)
	}
	if errors.Is(err, site.ErrCut) {
		return nil
	}
	return err
}

// quiet keeps the sites from sealing events in the middle of a test that looks
// whether the journal changes, and from stopping tests that refresh without a pause.
func quiet(adjust func(*config.Config)) func(*config.Config) {
	return func(c *config.Config) {
		c.Journal.SealEvery = time.Hour
		c.Limits.TokenRefresh = config.TokenRefreshLimits{
			Account: config.Budget{Tokens: 500_000, Per: time.Second}, Org: config.Budget{Tokens: 1_000_000, Per: time.Second},
		}
		if adjust != nil {
			adjust(c)
		}
	}
}
