package gossip

import (
	"context"
	"crypto/ecdsa"
	"sync/atomic"

	"causeway/tenants"
)

// Gossip is this cell's membership in the pool of its federation.
type Gossip struct {
	membership
	cfg     Config
	said    atomic.Pointer[said]
	wanted  atomic.Pointer[Hint] // what Announce was last told
	news    chan struct{}        // holds one: wanted has changed
	table   *table
	changed chan struct{} // holds one: several changes are one
}

// said is what this cell says of itself.
type said struct {
	meta
	raw []byte // signed
	by  *ecdsa.PublicKey
}

// Stats are for metrics and status pages.
type Stats struct {
	Members   int   // alive, this cell not counted
	Rejected  int   // messages about members that were refused
	Conflicts int64 // claims to a name that somebody else holds
	Unjoined  int64 // attempts to join somebody that failed
	Hints     int64 // heard
}

// New checks cfg and signs what this cell will say. It does not touch the network.
func New(cfg Config) (*Gossip, error) {
	cfg.setDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	keys, err := newKeyring(cfg.Keys)
	if err != nil {
		return nil, err
	}
	g := &Gossip{
		membership: membership{pool: cfg.Pool, keys: keys}, cfg: cfg,
		news: make(chan struct{}, 1), changed: make(chan struct{}, 1),
	}
	self := meta{site: cfg.Site, cell: newCellID(cfg.Cell), boot: uint64(cfg.Now().UnixMilli()), addr: cfg.PeerAddr}
	if err := g.say(self); err != nil {
		return nil, err
	}
	g.table = newTable(self.name(), cfg.label(), cfg.Trusted)
	return g, nil
}

// Start listens and begins to look for others. It does not wait for any: a site
// alone is a site that works. Once only: a restart is a new boot, and a new Gossip.
func (g *Gossip) Start() error {
	ml := g.pool.memberlist(g.cfg.profile(), g.said.Load().name(), g.cfg.label())
	d := delegate{g}
	ml.Delegate, ml.Events, ml.Alive, ml.Conflict = d, d, d, d
	return g.start(ml, g.table.rejoin, g.tell, g.announce)
}

// Candidates are addresses at which a site says it can be reached, the likeliest
// first; none unless it is associated. Each is signed by the site's root key,
// and still only a hint.
func (g *Gossip) Candidates(site tenants.SiteID) []string { return g.table.candidates(site) }

// Stats are the numbers of this moment.
func (g *Gossip) Stats() Stats {
	alive, rejected := g.table.counts()
	return Stats{Members: alive, Rejected: rejected, Conflicts: g.conflicts.Load(), Unjoined: g.unjoined.Load(), Hints: g.heard.Load()}
}

func poke(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// tell passes on what has changed. What memberlist calls must not wait for it.
func (g *Gossip) tell(ctx context.Context) {
	for {
		select {
		case <-g.changed:
			if g.cfg.OnChange != nil {
				g.cfg.OnChange()
			}
			for _, h := range g.table.hinted() {
				g.heard.Add(1)
				if g.cfg.OnHint != nil {
					g.cfg.OnHint(h)
				}
			}
		case <-ctx.Done():
			return
		}
	}
}
