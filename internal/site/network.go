package site

import (
	"context"
	"net"

	"causeway/federation/gossip"
	"causeway/tenants"
)

// Network is what a cell listens in and connects through, for many cells in one
// process. What is nil is the host's.
type Network struct {
	Listen func(ctx context.Context, network, addr string) (net.Listener, error)
	// Dial reaches other sites. It is given addresses and no names.
	Dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	Gossip func(ip string, port int) (gossip.Transport, error)
}

func (n Network) listen(ctx context.Context, addr string) (net.Listener, error) {
	if n.Listen != nil {
		return n.Listen(ctx, "tcp", addr)
	}
	return (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
}

// GossipMembers is how many cells of all sites gossip knows to be alive, this
// one not counted; false without gossip.
func (s *Site) GossipMembers() (int, bool) {
	if s.gossip == nil {
		return 0, false
	}
	return s.gossip.Stats().Members, true
}

// Tenants is for whoever administers a site within its process.
func (s *Site) Tenants() *tenants.Service { return s.tenants }
