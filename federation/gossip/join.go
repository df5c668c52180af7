package gossip

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/hashicorp/memberlist"
)

// joinForever joins whoever should be a member and is not. memberlist never does:
// after a partition longer than it remembers the dead, two halves stay apart
// until somebody joins them again.
func (m *membership) joinForever(ctx context.Context, list *memberlist.Memberlist, who absence) {
	tick := time.NewTicker(m.pool.RejoinInterval)
	defer tick.Stop()
	for {
		m.joinAbsent(ctx, list, who)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (m *membership) joinAbsent(ctx context.Context, list *memberlist.Memberlist, who absence) {
	living, gone := who()
	living[m.Addr()] = true
	for _, seed := range append(m.pool.Seeds(), gone...) {
		for _, addr := range resolve(ctx, seed) {
			if ctx.Err() != nil || living[addr] {
				continue
			}
			living[addr] = true // once is enough
			// A name must be given and is not looked at: a seed's is unknown.
			if _, err := list.Join([]string{"seed/" + addr}); err != nil && ctx.Err() == nil {
				m.unjoined.Add(1)
				m.pool.Log.Debug("gossip: cannot join", "addr", addr, "err", err)
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
