package rig

import (
	"context"
	"errors"
	"net/netip"
	"sync/atomic"
	"time"

	"causeway/federation/gossip"
	"causeway/federation/memnet"
	"causeway/internal/config"
	"causeway/internal/secret"
	"causeway/internal/site"
)

// process is one run of a cell.
type process struct {
	site   *site.Site
	host   *memnet.Host
	serves bool
	broken *atomic.Bool // it has no database
}

// boot makes the process, unless there is one.
func (c *cell) boot(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process != nil {
		return nil
	}
	w := c.place.world
	h, err := w.net.Host(c.place.name, c.at)
	if err != nil {
		return err
	}
	broken := new(atomic.Bool)
	s, err := site.New(ctx, c.config(), site.Options{
		Log: w.c.Log.With("site", c.place.name, "cell", c.number), Now: c.place.clock,
		Network: site.Network{
			Listen: h.Listen, Dial: h.Dial,
			Gossip: func(_ string, port int) (gossip.Transport, error) { return h.Transport(port) },
		},
		DatabaseAway: broken.Load,
	})
	if err != nil {
		h.Crash()
		return err
	}
	c.process = &process{site: s, host: h, broken: broken}
	return nil
}

// start boots the cell and has it serve.
func (c *cell) start(ctx context.Context) error {
	if c.running() != nil {
		return nil
	}
	if err := c.boot(ctx); err != nil {
		return err
	}
	if err := c.process.site.Start(ctx); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.process.serves = true
	return nil
}

// config is what `causeway serve` would run the cell with.
func (c *cell) config() *config.Config {
	w, p := c.place.world, c.place
	at := func(port uint16) string { return netip.AddrPortFrom(c.at, port).String() }
	f := config.Defaults()
	f.Site.Name = p.name
	f.Public = config.Public{Listen: at(publicPort), URL: p.url(), Certificate: p.file("public.pem"), Key: p.file("public-key.pem")}
	f.Peer = config.Peer{Listen: at(peerPort), Advertise: at(peerPort)}
	f.Operations.Listen = at(operationsPort)
	f.Federation.AllowedNetworks = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} // see place
	f.Database.URL = secret.Text("sqlite://" + p.database())
	f.Keys.MasterFile = p.file("master.key")
	if w.c.Script.Gossip != "off" {
		f.Gossip = &config.Gossip{
			Federation: "rig", Listen: at(gossipPort), KeyFile: w.gossipKey(), Seeds: w.seeds(p), Profile: w.c.Script.Gossip,
		}
	}
	if w.c.Adjust != nil {
		w.c.Adjust(f)
	}
	return f
}

// breaks has the process, if there is one, lose its database or find it again.
func (c *cell) breaks(lost bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process != nil {
		c.process.broken.Store(lost)
	}
}

func (c *cell) broken() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.process != nil && c.process.broken.Load()
}

// take is the process, which the cell has no more.
func (c *cell) take() *process {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.process
	c.process = nil
	return p
}

// stopTime is how long requests under way may take when a cell is stopped.
const stopTime = 10 * time.Second

// stop ends the process in order.
func (c *cell) stop() error {
	p := c.take()
	if p == nil {
		return nil
	}
	defer p.host.Crash()
	if !p.serves {
		return p.site.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	return p.site.Stop(ctx)
}

// crash ends the process like kill -9: nobody hears of it any more, and nothing
// reaches its database. What remains of it in this process ends by itself.
func (c *cell) crash() error {
	p := c.take()
	if p == nil {
		return errors.New("the cell does not run")
	}
	p.host.Crash()
	err := p.site.DB().Close()
	c.place.world.ending.Go(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = p.site.Stop(ctx) // which cannot succeed
	})
	return err
}
