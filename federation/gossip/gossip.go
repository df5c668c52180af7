package gossip

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"

	"causeway/tenants"
)

// leaveTimeout is how long Stop tries to say goodbye. Without a goodbye the
// others take up to a minute to notice.
const leaveTimeout = 2 * time.Second

// Gossip is this cell's membership in the pool of its federation.
type Gossip struct {
	cfg       Config
	self      meta
	raw       []byte // self, signed
	table     *table
	conflicts atomic.Int64
	changed   chan struct{} // holds one: several changes are one

	mu      sync.Mutex
	started bool
	list    *memberlist.Memberlist // nil before Start and after Stop
	addr    string
	cancel  context.CancelFunc
	run     sync.WaitGroup
}

// Stats are for metrics and status pages.
type Stats struct {
	Members   int   // alive, this cell not counted
	Rejected  int   // messages about members that were refused
	Conflicts int64 // claims to a name that somebody else holds
}

// New checks cfg and signs what this cell will say. It does not touch the network.
func New(cfg Config) (*Gossip, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.RejoinInterval <= 0 {
		cfg.RejoinInterval = 30 * time.Second
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	g := &Gossip{cfg: cfg, changed: make(chan struct{}, 1)}
	g.self = meta{site: cfg.Site, cell: newCellID(cfg.Cell), boot: uint64(cfg.Now().UnixMilli()), addr: cfg.PeerAddr}
	var err error
	if g.raw, err = g.self.encode(cfg.label(), cfg.Root); err != nil {
		return nil, err
	}
	g.table = newTable(g.self.name(), cfg.label(), cfg.Trusted)
	return g, nil
}

// Start listens and begins to look for others. It does not wait for any: a site
// alone is a site that works. Once only: a restart is a new boot, and a new Gossip.
func (g *Gossip) Start() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.started {
		return errors.New("gossip: started before")
	}
	g.started = true
	ctx, cancel := context.WithCancel(context.Background())
	list, err := g.create(ctx)
	if err != nil {
		cancel()
		return err
	}
	g.list, g.addr, g.cancel = list, list.LocalNode().Address(), cancel
	g.run.Go(func() { g.tell(ctx) })
	g.run.Go(func() { g.joinForever(ctx) })
	return nil
}

func (g *Gossip) create(ctx context.Context) (*memberlist.Memberlist, error) {
	ip, port, err := splitIP(g.cfg.Listen)
	if err != nil {
		return nil, err
	}
	open := g.cfg.Transport
	if open == nil {
		open = func(ip string, port int) (Transport, error) { return listen(ctx, ip, port, logWriter{g.cfg.Log}) }
	}
	t, err := open(ip, port)
	if err != nil {
		return nil, err
	}
	ml := g.cfg.memberlist(g.self.name())
	ml.Transport = t
	ml.BindAddr, ml.BindPort = ip, t.GetAutoBindPort()
	if g.cfg.Advertise == "" {
		ml.AdvertisePort = ml.BindPort
	}
	if err := allowsSelf(t, ml); err != nil {
		return nil, errors.Join(err, t.Shutdown())
	}
	d := delegate{g}
	ml.Delegate, ml.Events, ml.Alive, ml.Conflict = d, d, d, d
	list, err := memberlist.Create(ml)
	if err != nil {
		return nil, errors.Join(err, t.Shutdown())
	}
	return list, nil
}

// allowsSelf: memberlist would refuse this cell like any other, and then panic
// where it looks itself up.
func allowsSelf(t Transport, ml *memberlist.Config) error {
	ip, _, err := t.FinalAdvertiseAddr(ml.AdvertiseAddr, ml.AdvertisePort)
	if err != nil {
		return err
	}
	return ml.IPAllowed(ip)
}

// Stop says goodbye and waits until nothing of ours runs any more.
func (g *Gossip) Stop() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.list == nil {
		return nil
	}
	g.cancel()
	g.run.Wait()
	err := errors.Join(g.list.Leave(leaveTimeout), g.list.Shutdown())
	g.list = nil
	return err
}

// Addr is where this cell's gossip is reached; empty before Start.
func (g *Gossip) Addr() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.addr
}

// Candidates are addresses at which a site says it can be reached, the likeliest
// first; none unless it is associated. Each is signed by the site's root key,
// and still only a hint.
func (g *Gossip) Candidates(site tenants.SiteID) []string { return g.table.candidates(site) }

// Stats are the numbers of this moment.
func (g *Gossip) Stats() Stats {
	alive, rejected := g.table.counts()
	return Stats{Members: alive, Rejected: rejected, Conflicts: g.conflicts.Load()}
}

// note tells the owner of g that something changed, without waiting for it.
func (g *Gossip) note() {
	select {
	case g.changed <- struct{}{}:
	default:
	}
}

func (g *Gossip) tell(ctx context.Context) {
	for {
		select {
		case <-g.changed:
			if g.cfg.OnChange != nil {
				g.cfg.OnChange()
			}
		case <-ctx.Done():
			return
		}
	}
}

// joinForever joins whoever should be a member and is not. memberlist never does:
// after a partition longer than it remembers the dead, two halves stay apart
// until somebody joins them again.
func (g *Gossip) joinForever(ctx context.Context) {
	tick := time.NewTicker(g.cfg.RejoinInterval)
	defer tick.Stop()
	for {
		g.joinAbsent(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (g *Gossip) joinAbsent(ctx context.Context) {
	living, gone := g.table.rejoin()
	living[g.addr] = true
	for _, seed := range append(g.cfg.Seeds(), gone...) {
		for _, addr := range resolve(ctx, seed) {
			if ctx.Err() != nil || living[addr] {
				continue
			}
			living[addr] = true // once is enough
			// A name must be given and is not looked at: a seed's is unknown.
			if _, err := g.list.Join([]string{"seed/" + addr}); err != nil {
				g.cfg.Log.Debug("gossip: cannot join", "addr", addr, "err", err)
			}
		}
	}
}

// resolve is done here because memberlist's own look-up cannot be ended.
func resolve(ctx context.Context, seed string) []string {
	host, port, err := net.SplitHostPort(seed)
	if err != nil {
		return nil
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return []string{net.JoinHostPort(ip.String(), port)}
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil
	}
	var addrs []string
	for _, ip := range ips[:min(len(ips), maxAnswers)] {
		addrs = append(addrs, net.JoinHostPort(ip.Unmap().String(), port))
	}
	return addrs
}
