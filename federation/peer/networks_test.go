package peer

import (
	"net/netip"
	"testing"
)

// Nobody can make this site call itself, its neighbours on the wire or the place
// where a cloud tells secrets, unless an administrator named the network (R9).
func TestNetworks_R9(t *testing.T) {
	prefix := func(list ...string) (out []netip.Prefix) {
		for _, s := range list {
			out = append(out, netip.MustParsePrefix(s))
		}
		return out
	}
	for _, tt := range []struct {
		addr      string
		site, own []netip.Prefix
		want      bool
	}{
		{"198.51.100.7", nil, nil, true},
		{"10.1.2.3", nil, nil, true},
		{"2001:db8::1", nil, nil, true},
		{"127.0.0.1", nil, nil, false},
		{"::1", nil, nil, false},
		{"::ffff:127.0.0.1", nil, nil, false},
		{"0.0.0.0", nil, nil, false},
		{"::", nil, nil, false},
		{"169.254.169.254", nil, nil, false},
		{"fe80::1%eth0", nil, nil, false},
		{"fd00:ec2::254", nil, nil, false},
		{"100.100.100.200", nil, nil, false},
		{"224.0.0.1", nil, nil, false},
		{"255.255.255.255", nil, nil, false},
		{"64:ff9b::7f00:1", nil, nil, false},
		{"64:ff9b::c633:6407", nil, nil, true},
		{"2002:a9fe:a9fe::1", nil, nil, false},

		{"127.0.0.1", prefix("127.0.0.0/8"), nil, true},
		{"127.0.0.1", nil, prefix("127.0.0.0/8"), true},
		{"127.0.0.1", prefix("198.51.100.0/24"), prefix("127.0.0.0/8"), false},
		{"198.51.100.7", prefix("198.51.100.0/24"), nil, true},
		{"203.0.113.7", prefix("198.51.100.0/24"), nil, false},
		{"198.51.100.7", prefix("198.51.100.0/24"), prefix("198.51.100.0/28"), true},
		{"198.51.100.77", prefix("198.51.100.0/24"), prefix("198.51.100.0/28"), false},
		{"203.0.113.7", prefix("198.51.100.0/24"), prefix("203.0.113.0/24"), false},
		{"198.51.100.7", nil, []netip.Prefix{{}}, false}, // one that could not be read
	} {
		if got := Networks(tt.site).Allow(tt.own)(netip.MustParseAddr(tt.addr)); got != tt.want {
			t.Errorf("%s in %v and %v: %v", tt.addr, tt.site, tt.own, got)
		}
	}
	if Networks(nil).Allow(nil)(netip.Addr{}) {
		t.Error("no address at all is allowed")
	}
}
