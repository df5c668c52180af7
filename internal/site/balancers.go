package site

import (
	"net"
	"net/netip"
	"time"

	"github.com/pires/go-proxyproto"
)

// headerPatience is how long a balancer may take to say who the client is: it knows
// that before it connects.
const headerPatience = 5 * time.Second

// behindBalancers reads who the client is from the PROXY header of connections that
// come from one of networks. Nobody else can say so.
func behindBalancers(l net.Listener, networks []netip.Prefix) net.Listener {
	if len(networks) == 0 {
		return l
	}
	return &proxyproto.Listener{
		Listener: l, ReadHeaderTimeout: headerPatience,
		ConnPolicy: func(o proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
			from, err := netip.ParseAddrPort(o.Upstream.String())
			if err == nil && within(networks, from.Addr().Unmap()) {
				return proxyproto.REQUIRE, nil
			}
			return proxyproto.SKIP, nil
		},
	}
}

func within(networks []netip.Prefix, a netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}
