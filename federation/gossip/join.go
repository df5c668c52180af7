package gossip

import (
	"context"
	"math/rand/v2"
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
	settled := time.NewTimer(settling/2 + rand.N(settling/2))
	defer settled.Stop()
	m.joinAbsent(ctx, list, who)
	for {
		select {
		case <-tick.C:
			m.joinAbsent(ctx, list, who)
		case <-settled.C:
			m.compare(list)
		case <-ctx.Done():
			return
		}
	}
}

const (
	// settling is when a member compares what it knows with another one at the latest.
	settling = 30 * time.Second
	// few members compare often enough by themselves: each 30 s up to so many.
	few = 32
)

// compare exchanges all that is known with any member, once. Who joined at the same
// time is told of in packets, of which some are lost, and among hundreds memberlist's
// own exchange comes after minutes.
func (m *membership) compare(list *memberlist.Memberlist) {
	members := list.Members()
	if len(members) <= few {
		return
	}
	other := members[rand.N(len(members))]
	if other.Name == list.LocalNode().Name {
		return // somebody else may compare with us
	}
	if _, err := list.Join([]string{other.Name + "/" + other.Address()}); err != nil {
		m.pool.Log.Debug("gossip: cannot compare", "addr", other.Address(), "err", err)
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
