package rig

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"causeway/federation/memnet"
	"causeway/internal/secret"
	"causeway/internal/site"
	"causeway/oauth"
	"causeway/tenants"
)

// place is a site of the world: what outlives its processes.
type place struct {
	world  *World
	name   string
	folder string
	front  netip.Addr // what clients call
	cells  []*cell
	desk   *memnet.Host // of its clients
	client *http.Client
	skew   atomic.Int64 // how far its clocks are ahead

	// What seed made.
	id     tenants.SiteID
	org    tenants.OrgID
	root   string // public keys, PEM
	orgKey string
	admin  tenants.Caller
	app    oauth.ClientID
	token  atomic.Pointer[secret.Text] // the app's
}

func (p *place) file(name string) string { return filepath.Join(p.folder, name) }
func (p *place) database() string        { return p.file("causeway.db") }
func (p *place) url() string             { return "https://" + netip.AddrPortFrom(p.front, publicPort).String() }

// now is the time of a world; of a site it is clock.
func now() time.Time { return time.Now() }

func (p *place) clock() time.Time { return now().Add(time.Duration(p.skew.Load())) }

// stamp is clock as databases keep it.
func (p *place) stamp() time.Time { return p.clock().UTC().Truncate(time.Microsecond) }

// boot makes the process of a cell, which does not serve yet.
func (p *place) boot(ctx context.Context, i int) error { return p.cells[i].boot(ctx) }

// start has all cells serve that do not.
func (p *place) start(ctx context.Context) error {
	for _, c := range p.cells {
		if err := c.start(ctx); err != nil {
			return err
		}
	}
	return nil
}

var errDown = errors.New("no cell of the site runs")

// any is a cell that runs, and has its database if one has.
func (p *place) any() (found *site.Site, err error) {
	for _, c := range p.cells {
		s := c.running()
		if s != nil && !c.broken() {
			return s, nil
		}
		if found == nil {
			found = s
		}
	}
	if found == nil {
		return nil, errDown
	}
	return found, nil
}

// cell is one process of a site, or where it would be.
type cell struct {
	place  *place
	number int
	at     netip.Addr

	mu      sync.Mutex
	process *process
}

// running is the cell's process if it serves.
func (c *cell) running() *site.Site {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process == nil || !c.process.serves {
		return nil
	}
	return c.process.site
}
