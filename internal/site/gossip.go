package site

import (
	"encoding/base64"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"causeway/federation/gossip"
	"causeway/internal/config"
	"causeway/tenants"
)

// newGossip joins the pool of sites, where the configuration says so. Without it
// sites know each other by their associations alone.
func (s *Site) newGossip(c *config.Gossip) (*gossip.Gossip, error) {
	key, err := readGossipKey(c.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("gossip.key_file: %w", err)
	}
	listen, err := ipPort(c.Listen)
	if err != nil {
		return nil, fmt.Errorf("gossip.listen: %w", err)
	}
	advertise, err := ipPort(c.Advertise)
	if err != nil {
		return nil, fmt.Errorf("gossip.advertise: %w", err)
	}
	return gossip.New(gossip.Config{
		Federation: c.Federation, Site: s.self.ID, Cell: s.config.PeerAddress(),
		Listen: listen, Advertise: advertise, Key: key, LAN: c.Profile == "lan",
		Seeds:    func() []string { return c.Seeds },
		PeerAddr: s.config.PeerAddress(), Root: s.root, Trusted: s.links.Trusted,
		Log: s.log, Now: s.now, Transport: s.options.Network.Gossip,
	})
}

// candidates are where gossip last heard of a site, if there is gossip.
func (s *Site) candidates(site tenants.SiteID) []string {
	if s.gossip == nil {
		return nil
	}
	return s.gossip.Candidates(site)
}

func readGossipKey(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("%s must hold 32 random bytes as base64", file)
	}
	return key, nil
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
