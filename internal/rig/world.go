package rig

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"causeway/federation/memnet"
	"causeway/internal/atomicfile"
	"causeway/internal/config"
	"causeway/internal/localca"
	"causeway/internal/store"
)

// Config of a [World].
type Config struct {
	Script *Script
	Folder string       // for databases, keys and certificates; must exist
	Log    *slog.Logger // of the sites; nil logs nothing
	// Adjust changes the configuration of each cell before it is used.
	Adjust func(*config.Config)
}

// World is the sites of a script and the network between them.
type World struct {
	c     Config
	net   *memnet.Network
	ca    *localca.Authority
	sites []*place
	begun time.Time // when the script began; zero before
	// ending are the remains of crashed cells, which nobody hears any more.
	ending sync.WaitGroup
}

// What listens where, at every cell.
const (
	publicPort, peerPort, gossipPort, operationsPort = 8443, 7443, 7947, 9443
)

// New makes the sites of a script, associates and starts them. It returns when
// all serve; its owner calls Close, also after an error.
func New(ctx context.Context, c Config) (*World, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	w := &World{c: c, net: memnet.New(c.Script.Seed)}
	if err := w.prepare(ctx); err != nil {
		return w, err
	}
	for _, p := range w.sites {
		if err := p.boot(ctx, 0); err != nil {
			return w, fmt.Errorf("site %s: %w", p.name, err)
		}
		if err := p.seed(ctx); err != nil {
			return w, fmt.Errorf("site %s: %w", p.name, err)
		}
	}
	for _, s := range c.Script.Setup {
		if err := w.act(ctx, s); err != nil {
			return w, fmt.Errorf("line %d: %w", s.Line, err)
		}
	}
	for _, p := range w.sites {
		if err := p.start(ctx); err != nil {
			return w, fmt.Errorf("site %s: %w", p.name, err)
		}
	}
	return w, nil
}

// prepare makes what all sites share, and their places in the network.
func (w *World) prepare(ctx context.Context) (err error) {
	if w.c.Folder, err = filepath.Abs(w.c.Folder); err != nil {
		return err
	}
	if w.ca, err = localca.Load(w.c.Folder, now()); err != nil {
		return err
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key) // does not fail
	if err := atomicfile.Write(w.gossipKey(), []byte(base64.StdEncoding.EncodeToString(key)), 0o600); err != nil {
		return err
	}
	empty, err := w.emptyDatabase(ctx)
	if err != nil {
		return err
	}
	for i, plan := range w.c.Script.Sites {
		p, err := w.place(plan, byte(i+1))
		if err != nil {
			return err
		}
		if err := os.MkdirAll(p.folder, 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(p.database(), empty, 0o600); err != nil {
			return err
		}
		if err := w.ca.Issue(p.file("public.pem"), p.file("public-key.pem"), []string{p.front.String()}, now()); err != nil {
			return err
		}
		w.sites = append(w.sites, p)
	}
	return nil
}

func (w *World) gossipKey() string { return filepath.Join(w.c.Folder, "gossip.key") }

// emptyDatabase is migrated once for all sites.
func (w *World) emptyDatabase(ctx context.Context) ([]byte, error) {
	file := filepath.Join(w.c.Folder, "empty.db")
	db, err := store.Open(ctx, store.Config{URL: "sqlite://" + file})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(db.Migrate(ctx), db.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
}

// place plans a site: 10.n.0.x are its cells, 10.n.1.1 what clients and bundles
// call it, and 10.n.2.1 its clients.
func (w *World) place(plan SitePlan, n byte) (*place, error) {
	p := &place{
		world: w, name: plan.Name, folder: filepath.Join(w.c.Folder, plan.Name),
		front: netip.AddrFrom4([4]byte{10, n, 1, 1}),
	}
	var members []netip.Addr
	for i := range plan.Cells {
		at := netip.AddrFrom4([4]byte{10, n, 0, byte(i + 1)})
		p.cells = append(p.cells, &cell{place: p, number: i + 1, at: at})
		members = append(members, at)
	}
	w.net.Share(p.front, members...)
	h, err := w.net.Host(plan.Name, netip.AddrFrom4([4]byte{10, n, 2, 1}))
	if err != nil {
		return nil, err
	}
	p.desk = h
	return p, p.openClient(h, w.ca.PEM)
}

// site is the site of a name, which the parser has checked.
func (w *World) site(name string) *place {
	i := slices.IndexFunc(w.sites, func(p *place) bool { return p.name == name })
	return w.sites[i]
}

// seeds are the gossip addresses of every first cell but one's own site's.
func (w *World) seeds(own *place) []string {
	var list []string
	for _, p := range w.sites {
		if p != own {
			list = append(list, netip.AddrPortFrom(p.cells[0].at, gossipPort).String())
		}
	}
	return list
}

// Close stops every site and waits.
func (w *World) Close() error {
	var errs []error
	for _, p := range w.sites {
		p.client.CloseIdleConnections()
		p.desk.Crash()
		for _, c := range p.cells {
			if err := c.stop(); err != nil && !goodbye(err) {
				errs = append(errs, fmt.Errorf("site %s, cell %d: %w", p.name, c.number, err))
			}
		}
	}
	w.ending.Wait()
	return errors.Join(errs...)
}

// goodbye is not to have been heard by anybody, at a site that had nobody left.
func goodbye(err error) bool {
	return strings.Contains(err.Error(), "timeout waiting for leave broadcast")
}
