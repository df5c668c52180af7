package peer

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"slices"
)

// AddrFilter reports whether to connect to an address. It may ask for names, until
// ctx ends.
type AddrFilter func(ctx context.Context, a netip.Addr) bool

// Networks are those in which other sites may be. Addresses that lead to this
// host, its neighbours on the wire or a cloud's metadata are special: they must
// lie in a network that is named.
type Networks []netip.Prefix

// Allow judges the addresses of one site's RestEndpoint, which an administrator
// typed or accepted: where no network is named, all but the special ones. The
// site's association may name networks of its own; an address must then lie in
// those as well.
func (n Networks) Allow(own []netip.Prefix) AddrFilter {
	return func(_ context.Context, a netip.Addr) bool {
		a = plain(a)
		named := false
		for _, list := range [...][]netip.Prefix{n, own} {
			if len(list) == 0 {
				continue
			}
			if !within(list, a) {
				return false
			}
			named = true
		}
		return named || !special(a)
	}
}

// Told judges the addresses that a site says of itself, or gossip of it. Where no
// network is named they must be public, or the RestEndpoint's: else a site could
// have us knock at every door inside our own networks, and hear from the time it
// takes which of them open.
func (n Networks) Told(own []netip.Prefix, restEndpoint string) AddrFilter {
	return n.told(own, restEndpoint, net.DefaultResolver.LookupNetIP)
}

type lookupFunc = func(ctx context.Context, network, host string) ([]netip.Addr, error)

func (n Networks) told(own []netip.Prefix, restEndpoint string, lookup lookupFunc) AddrFilter {
	allow := n.Allow(own)
	return func(ctx context.Context, a netip.Addr) bool {
		if !allow(ctx, a) {
			return false
		}
		a = plain(a)
		if len(n)+len(own) > 0 || public(a) {
			return true
		}
		found, _ := lookup(ctx, "ip", hostOf(restEndpoint)) // none allows none
		return slices.ContainsFunc(found, func(home netip.Addr) bool { return plain(home) == a })
	}
}

// hostOf is the host of a URL, without its port.
func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

func within(list []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
}

// metadata are the addresses at which clouds tell a machine its secrets, beside
// the link-local one: Amazon's, Alibaba's, Azure's and Oracle's.
var metadata = []netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("100.100.100.200"),
	netip.MustParseAddr("168.63.129.16"), netip.MustParseAddr("192.0.0.192"),
}

func special(a netip.Addr) bool {
	if v4, ok := embedded(a); ok {
		return special(v4)
	}
	return !a.IsValid() || a.IsLoopback() || a.IsUnspecified() || a.IsMulticast() || a.IsLinkLocalUnicast() ||
		a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) || slices.Contains(metadata, a)
}

var (
	// inside are IPv4 networks that no site elsewhere is in, beside the private ones
	// (RFC 6890, RFC 6598).
	inside = []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
		netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"),
	}
	// global6 is what IPv6 has given out (RFC 4291 §2.4), protocols6 what of it goes
	// to protocols and tunnels (RFC 2928).
	global6    = netip.MustParsePrefix("2000::/3")
	protocols6 = netip.MustParsePrefix("2001::/23")
)

// public reports whether an address is the same place for everybody.
func public(a netip.Addr) bool {
	if v4, ok := embedded(a); ok {
		return public(v4)
	}
	if a.Is4() {
		return a.IsGlobalUnicast() && !a.IsPrivate() && !within(inside, a)
	}
	return global6.Contains(a) && !protocols6.Contains(a)
}

// embedded is the IPv4 address that an IPv6 address stands for (RFC 6052 §2.1,
// RFC 3056 §2): a translator on the way would lead there.
func embedded(a netip.Addr) (netip.Addr, bool) {
	b := a.As16()
	switch {
	case netip.MustParsePrefix("64:ff9b::/96").Contains(a):
		return netip.AddrFrom4([4]byte(b[12:])), true
	case netip.MustParsePrefix("2002::/16").Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	return netip.Addr{}, false
}
