package services

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"causeway/internal/journal"
	"causeway/internal/secret"
	"causeway/internal/tracing"
)

// DelivererConfig wires a Deliverer.
type DelivererConfig struct {
	Hooks Hooks
	Keys  *secret.Keys
	Rules AddressRules
	Now   func() time.Time
	Log   *slog.Logger
	// Tracer may be nil.
	Tracer *tracing.Tracer
	// Interval between looks when nothing wakes it; zero is 5 s.
	Interval time.Duration
}

// Deliverer tells instances of accounts that began or ended, at least once each: a
// cell takes what is due, and what it does not finish another takes.
type Deliverer struct {
	DelivererConfig
	client    *http.Client
	wake      chan struct{}
	turns     turns
	calls     sync.WaitGroup
	delivered atomic.Int64
	retried   atomic.Int64
	failed    atomic.Int64
}

// NewDeliverer makes a Deliverer that Run drives.
func NewDeliverer(c DelivererConfig) *Deliverer {
	if c.Interval <= 0 {
		c.Interval = 5 * time.Second
	}
	d := &Deliverer{DelivererConfig: c, wake: make(chan struct{}, 1)}
	d.client = &http.Client{
		Transport: &http.Transport{
			DialContext: c.Rules.Dialer(5 * time.Second).DialContext, MaxIdleConns: 64, MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second,
			TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: hookTimeout, MaxResponseHeaderBytes: 16 << 10,
		},
		// A redirect would lead the signed call to where nobody allowed it.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return d
}

// HookCounts are calls since the start: that arrived, that will be tried again, and
// that were given up.
type HookCounts struct{ Delivered, Retried, Failed int64 }

// Counts are for metrics.
func (d *Deliverer) Counts() HookCounts {
	return HookCounts{d.delivered.Load(), d.retried.Load(), d.failed.Load()}
}

// Run delivers until ctx ends, and returns when no call is under way.
func (d *Deliverer) Run(ctx context.Context) {
	tick := time.NewTicker(d.Interval)
	defer tick.Stop()
	defer d.client.CloseIdleConnections()
	defer d.calls.Wait()
	for ctx.Err() == nil {
		for d.begin(ctx) > 0 && ctx.Err() == nil { // there may be more
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-d.wake:
		}
	}
}

// begin takes what is due and begins to tell it, and returns how many calls began. An
// instance that is slow or fails has its turns, and takes none from others.
func (d *Deliverer) begin(ctx context.Context) int {
	now := d.Now()
	free, not := d.turns.free(now)
	if free == 0 {
		return 0
	}
	due, err := d.Hooks.DueHooks(ctx, now, now.Add(hookLease), free, not)
	if err != nil {
		if ctx.Err() == nil {
			d.Log.Warn("could not ask which hooks are due", "err", err)
		}
		return 0
	}
	begun := 0
	for _, one := range due {
		if !d.turns.take(one.Instance, now) {
			h := one.Hook
			h.Next = now
			d.settle(ctx, one, h)
			continue
		}
		begun++
		d.calls.Go(func() {
			failed := d.deliver(ctx, one)
			d.turns.give(one.Instance, failed, d.Now())
			d.Flush()
		})
	}
	return begun
}

// deliver makes one call, and reports whether it failed.
func (d *Deliverer) deliver(ctx context.Context, one Delivery) (failed bool) {
	h := one.Hook
	if one.URL == "" { // the hook was taken away
		h = Hook{State: HookNone, Key: h.Key}
	} else {
		ctx, span := d.Tracer.Work(ctx, "hook", tracing.Client)
		span.Set(tracing.Organization, string(one.Org))
		why, err := d.post(ctx, one, span)
		if why != "" {
			span.Fail()
		}
		span.End()
		if ctx.Err() != nil {
			return false // another cell takes it when its lease is over
		}
		failed = why != ""
		if h = d.after(h, why); err != nil {
			d.Log.Info("a service instance could not be told of an account", "instance", one.Instance, "account", one.ID, "err", err)
		}
	}
	d.settle(ctx, one, h)
	return failed
}

func (d *Deliverer) settle(ctx context.Context, one Delivery, h Hook) {
	if err := d.Hooks.SettleHook(ctx, one.Org, one.ID, h.Key, h); err != nil && ctx.Err() == nil {
		d.Log.Warn("could not note what became of a hook", "err", err)
	}
}

// after is a hook after an attempt; why is empty if that did what it should.
func (d *Deliverer) after(h Hook, why string) Hook {
	h.Attempts, h.Error, h.Next = h.Attempts+1, why, time.Time{}
	switch {
	case why == "":
		d.delivered.Add(1)
		h.State = HookProvisioned
	case h.Attempts >= hookAttempts:
		d.failed.Add(1)
		h.State = HookFailed
	default:
		d.retried.Add(1)
		h.Next = d.Now().Add(pauseAfter(h.Attempts))
	}
	return h
}

// Apply implements journal.Follower: a change of an account is news to tell.
func (d *Deliverer) Apply(row journal.Row) {
	if row.Subject.Kind == journal.KindInstanceAccount {
		d.Flush()
	}
}

// Flush implements journal.Follower.
func (d *Deliverer) Flush() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}
