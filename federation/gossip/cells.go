package gossip

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/memberlist"

	"causeway/tenants"
)

// maxCells bounds a site's pool; its limits are divided among fewer.
const maxCells = 64

// CellsConfig of a site's own pool.
type CellsConfig struct {
	Pool
	Site tenants.SiteID
	// Cell is this process's id, new at each start.
	Cell string
	// Hint is told that another cell says the journal has reached seq. It is called
	// from memberlist's loop, must not block, and must not believe it.
	Hint func(seq int64)
}

// Cells is this cell's membership in the pool of its own site. All that is said
// there is how far the journal is.
type Cells struct {
	membership
	cfg     CellsConfig
	refused atomic.Int64

	others sync.Mutex
	alive  map[string]*memberlist.Node
}

// NewCells checks cfg. It does not touch the network.
func NewCells(cfg CellsConfig) (*Cells, error) {
	cfg.setDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if _, err := tenants.ParseUUID(string(cfg.Site)); err != nil || cfg.Cell == "" || cfg.Hint == nil {
		return nil, errors.New("gossip: a site's pool needs Site, Cell and Hint")
	}
	keys, err := newKeyring(cfg.Keys)
	if err != nil {
		return nil, err
	}
	return &Cells{membership: membership{pool: cfg.Pool, keys: keys}, cfg: cfg, alive: map[string]*memberlist.Node{}}, nil
}

// Start listens and begins to look for the other cells, once.
func (c *Cells) Start() error {
	ml := c.pool.memberlist(memberlist.DefaultLANConfig(), c.cfg.Cell, "cw-lan/"+string(c.cfg.Site))
	d := cellsDelegate{c}
	ml.Delegate, ml.Events, ml.Alive, ml.Conflict = d, d, d, d
	return c.start(ml, c.living)
}

// Tell sends to each living cell that the journal has reached seq: directly, since
// gossip would pass it on over half a second. A packet may get lost.
func (c *Cells) Tell(_ context.Context, seq int64) error {
	list := c.members()
	if list == nil {
		return net.ErrClosed
	}
	var errs []error
	for _, n := range c.nodes() {
		errs = append(errs, list.SendBestEffort(n, encodeHint(seq)))
	}
	return errors.Join(errs...)
}

// Stats are the numbers of this moment.
func (c *Cells) Stats() Stats {
	return Stats{
		Members: len(c.nodes()), Rejected: int(c.refused.Load()), Conflicts: c.conflicts.Load(), Unjoined: c.unjoined.Load(), Hints: c.heard.Load(),
	}
}

func (c *Cells) nodes() []*memberlist.Node {
	c.others.Lock()
	defer c.others.Unlock()
	var all []*memberlist.Node
	for _, n := range c.alive {
		all = append(all, n)
	}
	return all
}

func (c *Cells) living() (living map[string]bool, gone []string) {
	living = map[string]bool{}
	for _, n := range c.nodes() {
		living[n.Address()] = true
	}
	return living, nil
}

const hintVersion = 1

// encodeHint writes version 1 | sequence 8.
func encodeHint(seq int64) []byte {
	return binary.BigEndian.AppendUint64([]byte{hintVersion}, uint64(seq))
}

func decodeHint(b []byte) (seq int64, ok bool) {
	if len(b) != 9 || b[0] != hintVersion {
		return 0, false
	}
	seq = int64(binary.BigEndian.Uint64(b[1:]))
	return seq, seq > 0
}

// cellsDelegate is what memberlist calls, under its own lock.
type cellsDelegate struct{ c *Cells }

func (cellsDelegate) NodeMeta(int) []byte                    { return nil }
func (cellsDelegate) GetBroadcasts(int, int) [][]byte        { return nil }
func (cellsDelegate) LocalState(bool) []byte                 { return nil }
func (cellsDelegate) MergeRemoteState([]byte, bool)          {}
func (d cellsDelegate) NotifyUpdate(*memberlist.Node)        {}
func (d cellsDelegate) NotifyConflict(_, _ *memberlist.Node) { d.c.conflicts.Add(1) }

func (d cellsDelegate) NotifyMsg(b []byte) {
	if seq, ok := decodeHint(b); ok {
		d.c.heard.Add(1)
		d.c.cfg.Hint(seq)
	} else {
		d.c.refused.Add(1)
	}
}

func (d cellsDelegate) NotifyAlive(n *memberlist.Node) error {
	d.c.others.Lock()
	defer d.c.others.Unlock()
	known := d.c.alive[n.Name] != nil || n.Name == d.c.cfg.Cell
	if len(n.Meta) > 0 || !known && len(d.c.alive) >= maxCells {
		d.c.refused.Add(1)
		return errors.New("gossip: no cell of this site, or too many")
	}
	return nil
}

func (d cellsDelegate) NotifyJoin(n *memberlist.Node) {
	if n.Name == d.c.cfg.Cell {
		return
	}
	copied := *n // memberlist goes on writing to its own
	d.c.others.Lock()
	defer d.c.others.Unlock()
	d.c.alive[n.Name] = &copied
}

func (d cellsDelegate) NotifyLeave(n *memberlist.Node) {
	d.c.others.Lock()
	defer d.c.others.Unlock()
	delete(d.c.alive, n.Name)
}
