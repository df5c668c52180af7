package relay

import (
	"context"
	"crypto/tls"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"causeway/internal/journal"
	"causeway/internal/secret"
	"causeway/internal/trail"
	"causeway/internal/upkeep"
	"causeway/services"
	"causeway/tenants"
)

// Config wires a Deliverer.
type Config struct {
	Queue  Queue
	Trail  *trail.Service
	Holder string // this cell
	Keys   *secret.Keys
	Rules  services.AddressRules // where webhooks may be
	Trust  *tls.Config           // whom to believe that they are the webhook; nil is the system's
	Syslog []*Syslog
	Now    func() time.Time
	Log    *slog.Logger
	// Interval between looks for what there is to do; zero is 5 s. Rows that are
	// written meanwhile wake it.
	Interval time.Duration
	// FirstPause is how long the first failure waits, and each later one twice as long;
	// zero is 5 s.
	FirstPause time.Duration
}

// lease is how long others wait for a cell that has died.
const lease = 20 * time.Second

// Deliverer hands rows on while this cell is the one that does.
type Deliverer struct {
	Config
	poster *poster
	counts counts
	head   atomic.Int64  // the last row that this cell has heard of
	look   chan struct{} // who delivers, and to whom, may have changed
	mu     sync.Mutex
	runs   map[string]*run // by sink; empty while another cell delivers
}

// run is a sink that is being delivered to.
type run struct {
	worker
	stop context.CancelFunc
	done chan struct{}
}

// New makes a Deliverer that Run drives.
func New(c Config) *Deliverer {
	if c.Interval <= 0 {
		c.Interval = 5 * time.Second
	}
	if c.FirstPause <= 0 {
		c.FirstPause = 5 * time.Second
	}
	return &Deliverer{
		Config: c, poster: newPoster(c.Keys, c.Rules, c.Trust, c.Now), look: make(chan struct{}, 1), runs: map[string]*run{},
	}
}

// Run delivers until ctx ends, and gives the work to others then.
func (d *Deliverer) Run(ctx context.Context) {
	tick := time.NewTicker(d.Interval)
	defer tick.Stop()
	for ctx.Err() == nil {
		d.turn(ctx)
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-d.look:
		}
	}
	d.keep(nil)
	d.poster.client.CloseIdleConnections()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_, _ = d.Queue.Keep(last, d.lease(0)) // or it frees itself
}

func (d *Deliverer) lease(f time.Duration) upkeep.Lease {
	return upkeep.Lease{Name: "audit-delivery", Holder: d.Holder, For: f}
}

// turn asks whether this cell delivers, and to whom. When that cannot be known nobody
// is told: rows could not be read, either, and another cell may have begun.
func (d *Deliverer) turn(ctx context.Context) {
	// What takes the lease is not cut short when this cell stops: the database could
	// carry it out after what gives the lease back, and nobody would deliver for 20 s.
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), lease/2)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, cancel) })()
	sinks, err := d.sinks(limited)
	if err != nil && ctx.Err() == nil {
		d.Log.Warn("could not ask to whom the audit trail is to be handed on", "err", err)
	}
	if ctx.Err() == nil {
		d.keep(sinks)
	}
	d.begin(ctx, sinks)
}

// sinks are those that this cell delivers to now.
func (d *Deliverer) sinks(ctx context.Context) ([]worker, error) {
	hooks, err := d.Queue.Hooks(ctx)
	if err != nil {
		return nil, err
	}
	var list []worker
	for _, w := range hooks {
		if w.Enabled {
			list = append(list, d.webhook(w))
		}
	}
	for _, s := range d.Syslog {
		list = append(list, d.collector(s))
	}
	if len(list) == 0 {
		return nil, nil // and nobody needs the lease
	}
	held, err := d.Queue.Hold(ctx, d.lease(lease))
	if err != nil || !held.Ours {
		return nil, err
	}
	return list, nil
}

// keep stops what is not among sinks any more, or has changed.
func (d *Deliverer) keep(sinks []worker) {
	wanted := map[string]string{}
	for _, s := range sinks {
		wanted[s.sink] = s.version
	}
	d.mu.Lock()
	var over []*run
	for name, r := range d.runs {
		if version, ok := wanted[name]; !ok || version != r.version {
			over = append(over, r)
			delete(d.runs, name)
		}
	}
	d.mu.Unlock()
	for _, r := range over {
		r.stop()
	}
	for _, r := range over {
		<-r.done
	}
}

func (d *Deliverer) begin(ctx context.Context, sinks []worker) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range sinks {
		if d.runs[s.sink] != nil || ctx.Err() != nil {
			continue
		}
		own, stop := context.WithCancel(ctx)
		r := &run{worker: s, stop: stop, done: make(chan struct{})}
		r.wake, r.at = make(chan struct{}, 1), new(atomic.Int64)
		d.runs[s.sink] = r
		go func() {
			defer close(r.done)
			r.run(own)
		}()
	}
}

// webhook is the worker of a webhook.
func (d *Deliverer) webhook(w Webhook) worker {
	reader := tenants.Principal{Org: tenants.SystemOrgID}
	if w.Org != "" {
		reader.Org = w.Org
	}
	return worker{
		d: d, sink: string(w.ID), kind: KindWebhook, version: w.UpdatedAt.String(), org: w.Org, reader: reader, giveUp: w.GiveUp,
		send: func(ctx context.Context, r trail.Record) (string, error) { return d.poster.send(ctx, w, r) },
	}
}

// collector is the worker of a syslog collector. It is never given up: nobody sees
// what would be put aside.
func (d *Deliverer) collector(s *Syslog) worker {
	return worker{
		d: d, sink: "syslog:" + s.Name, kind: KindSyslog, reader: tenants.Principal{Org: tenants.SystemOrgID},
		send: s.send, resume: s.resume, over: s.close,
	}
}

// Apply implements journal.Follower: a row is news to hand on.
func (d *Deliverer) Apply(row journal.Row) {
	d.head.Store(row.Seq)
	if row.Subject.Kind == journal.KindWebhook {
		poke(d.look)
	}
	d.wakeAll()
}

// Flush implements journal.Follower.
func (d *Deliverer) Flush() {
	poke(d.look)
	d.wakeAll()
}

func (d *Deliverer) wakeAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.runs {
		poke(r.wake)
	}
}

func poke(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // one is coming
	}
}
