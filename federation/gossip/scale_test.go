package gossip_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"causeway/federation/gossip"
	"causeway/federation/memnet"
	"causeway/federation/peer"
	"causeway/tenants"
)

// pool is many speakers of many sites in memory, all associated.
type pool struct {
	t     *testing.T
	net   *memnet.Network
	sites []tenants.SiteID
	roots []*ecdsa.PrivateKey
	keys  map[tenants.SiteID]peer.Keys
	nodes []*gossip.Gossip
	hosts []*memnet.Host
	heard sync.Map // by node: what site 0 has announced was heard
}

func newPool(t *testing.T, sites, speakers int) *pool {
	t.Helper()
	p := &pool{t: t, net: memnet.New(1), keys: map[tenants.SiteID]peer.Keys{}}
	p.net.SetAll(memnet.Link{Latency: 40 * time.Millisecond, Jitter: 20 * time.Millisecond, Loss: 0.5})
	for range sites {
		root, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		id := tenants.SiteID(tenants.NewID())
		p.sites, p.roots = append(p.sites, id), append(p.roots, root)
		p.keys[id] = peer.NewKeys(&root.PublicKey)
	}
	for cell := range speakers {
		for site := range sites {
			p.add(site, cell)
		}
	}
	return p
}

func address(site, cell int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(site / 250), byte(site % 250), byte(cell + 1)}), 7947)
}

// seeds are one speaker each of three sites.
func seeds() []string {
	return []string{address(0, 0).String(), address(1, 0).String(), address(2, 0).String()}
}

func (p *pool) trusted(site tenants.SiteID) peer.Keys { return p.keys[site] }

func (p *pool) add(site, cell int) {
	p.t.Helper()
	at := address(site, cell)
	h, err := p.net.Host(fmt.Sprint(site), at.Addr())
	if err != nil {
		p.t.Fatal(err)
	}
	i := len(p.nodes)
	g, err := gossip.New(gossip.Config{
		Pool: gossip.Pool{
			Listen: at.String(), Keys: [][]byte{bytes.Repeat([]byte{7}, 32)}, Seeds: seeds,
			Transport: func(_ string, port int) (gossip.Transport, error) { return h.Transport(port) },
		},
		Federation: "scale", Site: p.sites[site], Cell: fmt.Sprint(cell), PeerAddr: netip.AddrPortFrom(at.Addr(), 7443).String(),
		Root: func() *ecdsa.PrivateKey { return p.roots[site] }, Trusted: p.trusted, Now: time.Now,
		OnHint: func(h gossip.Hint) {
			if h.Site == p.sites[0] && h.Head > 0 {
				p.heard.Store(i, true)
			}
		},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.nodes, p.hosts = append(p.nodes, g), append(p.hosts, h)
}

func (p *pool) start() {
	p.t.Helper()
	for _, g := range p.nodes {
		if err := g.Start(); err != nil {
			p.t.Fatal(err)
		}
	}
}

// stop ends all at once: goodbyes one after the other would take an hour of the
// bubble's time, and all of memberlist's work for it.
func (p *pool) stop() {
	for _, h := range p.hosts {
		h.Crash()
	}
	done := make(chan struct{})
	for _, g := range p.nodes {
		go func() {
			_ = g.Stop() // nobody hears the goodbye
			done <- struct{}{}
		}()
	}
	for range p.nodes {
		<-done
	}
	// A probe under way outlives its memberlist, and a bubble's time stands still
	// once its test has returned.
	time.Sleep(5 * time.Minute)
}

// views is what part of what nodes should know they know, and how many of them
// know it all: want members each.
func (p *pool) views(nodes []*gossip.Gossip, want int) (share float64, complete int) {
	known := 0
	for _, g := range nodes {
		n := g.Stats().Members
		if known += n; n == want {
			complete++
		}
	}
	return float64(known) / float64(want*len(nodes)), complete
}

func (p *pool) sent() (total int64) {
	for _, h := range p.hosts {
		streams, packets := h.Sent()
		total += streams + packets
	}
	return total
}

// pushPull is how often memberlist exchanges whole states, for n members.
func pushPull(n int) time.Duration {
	d := 30 * time.Second
	for limit := 32; n > limit; limit *= 2 {
		d += 30 * time.Second
	}
	return d
}

// TestSoakSitesKnowEachOther_R11: everybody starts at once, which is the worst of
// joining; then a site dies without a word.
func TestSoakSitesKnowEachOther_R11(t *testing.T) {
	sites, speakers := 20, 2
	if os.Getenv("CAUSEWAY_SOAK") != "" {
		sites, speakers = 300, 3
	}
	began := time.Now()
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, sites, speakers)
		p.start()
		defer p.stop()
		p.joins(t)
		if os.Getenv("CAUSEWAY_SOAK") != "" {
			p.idles(t)
		}
		p.tells(t)
		p.buries(t, speakers)
	})
	t.Log("real time", time.Since(began).Round(time.Second))
}

func (p *pool) joins(t *testing.T) {
	from := time.Now()
	two := 2 * pushPull(len(p.nodes))
	nearly, all := time.Duration(0), time.Duration(0)
	for all == 0 && time.Since(from) <= two {
		time.Sleep(time.Second)
		share, complete := p.views(p.nodes, len(p.nodes)-1)
		if nearly == 0 && share >= 0.999 {
			nearly = time.Since(from)
		}
		if complete == len(p.nodes) {
			all = time.Since(from)
		}
		if s := time.Since(from); s%(10*time.Second) == 0 {
			t.Logf("after %v: %.3f %% of what is to be known, %d of %d know all", s, share*100, complete, len(p.nodes))
		}
	}
	if nearly == 0 || nearly > time.Minute {
		t.Errorf("99.9 %% of all views are there after %v; at most a minute", nearly)
	}
	if all == 0 {
		t.Errorf("not all know all after two exchanges, %v", two)
	}
	t.Logf("%d members: 99.9 %% after %v, all after %v; %d B sent by each", len(p.nodes), nearly, all, p.sent()/int64(len(p.nodes)))
}

// idles measures what knowing each other costs when nothing happens. First what
// joining left to tell is told.
func (p *pool) idles(t *testing.T) {
	interval := pushPull(len(p.nodes))
	time.Sleep(2 * interval)
	before := p.sent()
	time.Sleep(2 * interval)
	each := float64(p.sent()-before) / (2 * interval).Seconds() / float64(len(p.nodes))
	t.Logf("%d members: %.0f B/s sent by each; exchanges every %v", len(p.nodes), each, interval)
	if each > 6000 {
		t.Errorf("%.0f B/s; the budget is 6 kB/s", each)
	}
}

// tells has one speaker announce something new.
func (p *pool) tells(t *testing.T) {
	from := time.Now()
	p.nodes[0].Announce(1, 1)
	half := time.Duration(0)
	for time.Since(from) < time.Minute {
		time.Sleep(100 * time.Millisecond)
		n := 0
		p.heard.Range(func(_, _ any) bool { n++; return true })
		if half == 0 && n >= len(p.nodes)/2 {
			half = time.Since(from)
		}
		if n >= len(p.nodes)-len(p.nodes)/len(p.sites) { // all of the other sites
			t.Logf("%d members: news is with half after %v, with all after %v", len(p.nodes), half, time.Since(from))
			return
		}
	}
	t.Error("not all have heard the news after a minute")
}

// buries crashes all speakers of the last site.
func (p *pool) buries(t *testing.T, speakers int) {
	var living []*gossip.Gossip
	for i, g := range p.nodes {
		if site := i % len(p.sites); site == len(p.sites)-1 {
			p.hosts[i].Crash()
		} else {
			living = append(living, g)
		}
	}
	from := time.Now()
	first, all := time.Duration(0), time.Duration(0)
	for all == 0 && time.Since(from) < 10*time.Minute {
		time.Sleep(time.Second)
		known, complete := 0, 0
		for _, g := range living {
			n := g.Stats().Members
			known += n
			if n == len(living)-1 {
				complete++
			}
		}
		if first == 0 && known < len(living)*(len(p.nodes)-1) {
			first = time.Since(from)
		}
		if complete == len(living) {
			all = time.Since(from)
		}
	}
	t.Logf("%d members, of which %d died: somebody knows after %v, all after %v", len(p.nodes), speakers, first, all)
	if all == 0 {
		t.Error("not all know who died after ten minutes")
	}
}
