package peer

import (
	"net/netip"
	"slices"
)

// Networks are those in which other sites may be; none allows all. Addresses that
// lead to this host, its neighbours on the wire or a cloud's metadata are special:
// they must lie in a network that is named.
type Networks []netip.Prefix

// Allow judges addresses of one site, whose association may name networks of its
// own: an address must then lie in those as well.
func (n Networks) Allow(own []netip.Prefix) func(netip.Addr) bool {
	return func(a netip.Addr) bool {
		a = a.Unmap().WithZone("")
		named := false
		for _, list := range [...][]netip.Prefix{n, own} {
			if len(list) == 0 {
				continue
			}
			if !slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) }) {
				return false
			}
			named = true
		}
		return named || !special(a)
	}
}

// metadata are the addresses at which clouds tell a machine its secrets, beside
// the link-local one.
var metadata = []netip.Addr{netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("100.100.100.200")}

func special(a netip.Addr) bool {
	return !a.IsValid() || a.IsLoopback() || a.IsUnspecified() || a.IsMulticast() || a.IsLinkLocalUnicast() ||
		a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) || slices.Contains(metadata, a) || embedded(a)
}

// embedded reports whether an IPv6 address stands for an IPv4 address that is
// special (RFC 6052 §2.1, RFC 3056 §2): a translator on the way would lead there.
func embedded(a netip.Addr) bool {
	b := a.As16()
	switch {
	case netip.MustParsePrefix("64:ff9b::/96").Contains(a):
		return special(netip.AddrFrom4([4]byte(b[12:])))
	case netip.MustParsePrefix("2002::/16").Contains(a):
		return special(netip.AddrFrom4([4]byte(b[2:6])))
	}
	return false
}
