package site

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"

	"causeway/federation/gossip"
	"causeway/internal/config"
	"causeway/tenants"
)

// openPools readies where cells meet. Both files of keys are read, and faults found,
// before anything serves.
func (s *Site) openPools() error {
	s.metrics.registry.MustRegister(poolCollector{s})
	keys, err := readPoolKeys(s.config)
	if err != nil {
		return err
	}
	if c := s.config.Gossip; c != nil {
		if s.gossip, err = s.newSpeaker(c, keys.sites); err != nil {
			return err
		}
	}
	if c := s.config.Cells; c != nil {
		s.cellPool, err = s.newCells(c, keys.cells)
	}
	return err
}

// startPools begins to look for others, without waiting for any.
func (s *Site) startPools() error {
	if s.cellPool != nil {
		if err := s.cellPool.Start(); err != nil {
			return fmt.Errorf("cells: %w", err)
		}
	}
	if s.gossip != nil {
		if err := s.gossip.turn(); err != nil {
			return fmt.Errorf("gossip: %w", err)
		}
	}
	return nil
}

// leavePools says goodbye. Nobody may be there to hear it: no reason to have failed.
func (s *Site) leavePools() {
	var wait sync.WaitGroup
	wait.Go(s.leaveSites)
	if s.cellPool != nil {
		wait.Go(func() {
			if err := s.cellPool.Stop(); err != nil {
				s.log.Info("left the other cells without a goodbye", "err", err)
			}
		})
	}
	wait.Wait()
}

// leaveSites says goodbye to other sites, unless that was done.
func (s *Site) leaveSites() {
	if s.gossip == nil {
		return
	}
	if err := s.gossip.stop(); err != nil {
		s.log.Info("left the other sites without a goodbye", "err", err)
	}
}

// newGossip is a place in the pool of sites. Without one, sites know each other
// by their associations alone.
func (s *Site) newGossip(c *config.Gossip, keys [][]byte) (*gossip.Gossip, error) {
	pool, err := s.pool("gossip", c.Listen, c.Advertise, keys, c.Seeds, c.Networks)
	if err != nil {
		return nil, err
	}
	return gossip.New(gossip.Config{
		Pool: pool, Federation: c.Federation, Site: s.self.ID, Cell: cellName(s.config.Public.Listen), Profile: gossip.Profile(c.Profile),
		PeerAddr: s.config.PeerAddress(), Root: s.roots.Current, Trusted: s.links.Trusted, Now: s.now,
		OnHint: s.hinted,
	})
}

// hinted has an associated site asked for what it says is new. The answers count,
// the hint does not.
func (s *Site) hinted(h gossip.Hint) {
	if h.BundleSeq > 0 {
		s.links.WantBundle(h.Site, h.BundleSeq)
	}
	s.contact.Changed(h.Site)
}

// newCells is a place in the pool of this site's cells.
func (s *Site) newCells(c *config.Cells, keys [][]byte) (*gossip.Cells, error) {
	pool, err := s.pool("cells", c.Listen, c.Advertise, keys, c.Seeds, c.Networks)
	if err != nil {
		return nil, err
	}
	return gossip.NewCells(gossip.CellsConfig{Pool: pool, Site: s.self.ID, Cell: s.cells.Self.ID, Hint: s.tail.Hint})
}

func (s *Site) pool(section, listen, advertise string, keys [][]byte, seeds []string, networks []netip.Prefix) (p gossip.Pool, err error) {
	if p.Listen, err = ipPort(listen); err != nil {
		return p, fmt.Errorf("%s.listen: %w", section, err)
	}
	if p.Advertise, err = ipPort(advertise); err != nil {
		return p, fmt.Errorf("%s.advertise: %w", section, err)
	}
	p.Keys, p.Networks, p.Log, p.Transport = keys, networks, s.log, s.options.Network.Gossip
	p.Seeds = func() []string { return seeds }
	return p, nil
}

// poolKeys are the keys of both pools.
type poolKeys struct{ sites, cells [][]byte }

// readPoolKeys reads the key files that c names.
func readPoolKeys(c *config.Config) (k poolKeys, err error) {
	if c.Gossip != nil {
		if k.sites, err = readKeys("gossip", c.Gossip.KeyFile); err != nil {
			return k, err
		}
	}
	if c.Cells != nil {
		k.cells, err = readKeys("cells", c.Cells.KeyFile)
	}
	return k, err
}

func readKeys(section, file string) ([][]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s.key_file: %w", section, err)
	}
	keys, err := gossip.ParseKeys(text)
	if err != nil {
		return nil, fmt.Errorf("%s.key_file: %s: %w", section, file, err)
	}
	return keys, nil
}

// setKeys takes over keys that were checked, and says by their fingerprints which.
func (s *Site) setKeys(k poolKeys) error {
	if s.gossip != nil && k.sites != nil {
		if err := s.gossip.setKeys(k.sites); err != nil {
			return err
		}
		s.log.Info("keys of the sites' pool", "fingerprints", s.gossip.keys())
	}
	if s.cellPool != nil && k.cells != nil {
		if err := s.cellPool.SetKeys(k.cells); err != nil {
			return err
		}
		s.log.Info("keys of the cells' pool", "fingerprints", s.cellPool.Keys())
	}
	return nil
}

// candidates are where gossip last heard of a site, if there is gossip.
func (s *Site) candidates(site tenants.SiteID) []string {
	if s.gossip == nil {
		return nil
	}
	return s.gossip.candidates(site)
}

// ipPort resolves an address of the configuration to what memberlist wants.
func ipPort(addr string) (string, error) {
	if addr == "" {
		return "", nil
	}
	a, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return "", err
	}
	ip, ok := netip.AddrFromSlice(a.IP)
	if !ok {
		ip = netip.IPv4Unspecified()
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(a.Port)).String(), nil
}
