package peer

import (
	"context"
	"errors"
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
		{"168.63.129.16", nil, nil, false},
		{"192.0.0.192", nil, nil, false},
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
		if got := Networks(tt.site).Allow(tt.own)(t.Context(), netip.MustParseAddr(tt.addr)); got != tt.want {
			t.Errorf("%s in %v and %v: %v", tt.addr, tt.site, tt.own, got)
		}
	}
	if Networks(nil).Allow(nil)(t.Context(), netip.Addr{}) {
		t.Error("no address at all is allowed")
	}
}

// What a site says of itself leads to the inside of our own networks only where an
// administrator named them, or typed a RestEndpoint that is there (R9).
func TestNetworks_R9_ToldAddressesArePublic(t *testing.T) {
	ten := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	lookup := func(_ context.Context, _, host string) ([]netip.Addr, error) {
		switch host {
		case "10.1.2.3", "inside.example":
			return []netip.Addr{netip.MustParseAddr("::ffff:10.1.2.3")}, nil
		case "self.example":
			return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("168.63.129.16")}, nil
		}
		return nil, errors.New("no such host")
	}
	for _, tt := range []struct {
		addr      string
		site, own []netip.Prefix
		rest      string
		want      bool
	}{
		{"198.51.100.7", nil, nil, "", true},
		{"2001:db8::1", nil, nil, "", true},
		{"64:ff9b::c633:6407", nil, nil, "", true},
		{"10.1.2.3", nil, nil, "", false},
		{"::ffff:10.1.2.3", nil, nil, "", false},
		{"172.16.0.1", nil, nil, "", false},
		{"192.168.0.1", nil, nil, "", false},
		{"100.64.0.1", nil, nil, "", false},
		{"198.18.0.1", nil, nil, "", false},
		{"0.1.2.3", nil, nil, "", false},
		{"240.0.0.1", nil, nil, "", false},
		{"fd12::1", nil, nil, "", false},
		{"fec0::1", nil, nil, "", false},
		{"2001::a01:203", nil, nil, "", false},
		{"64:ff9b::a01:203", nil, nil, "", false},
		{"64:ff9b:1::a01:203", nil, nil, "", false},
		{"2002:a01:203::1", nil, nil, "", false},
		{"127.0.0.1", nil, nil, "", false},

		{"10.1.2.3", nil, nil, "https://inside.example:8443/api", true},
		{"10.1.2.3", nil, nil, "https://10.1.2.3/api", true},
		{"10.1.2.4", nil, nil, "https://inside.example/api", false},
		{"10.1.2.3", nil, nil, "https://elsewhere.example/api", false},
		{"127.0.0.1", nil, nil, "https://self.example/api", false},
		{"168.63.129.16", nil, nil, "https://self.example/api", false},
		{"10.1.2.3", ten, nil, "", true},
		{"10.1.2.3", nil, ten, "", true},
		{"10.1.2.3", nil, []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16")}, "https://inside.example/api", false},
	} {
		if got := Networks(tt.site).told(tt.own, tt.rest, lookup)(t.Context(), netip.MustParseAddr(tt.addr)); got != tt.want {
			t.Errorf("%s in %v and %v, of %q: %v", tt.addr, tt.site, tt.own, tt.rest, got)
		}
	}
	if Networks(nil).Told(nil, "https://10.1.2.3/api")(t.Context(), netip.MustParseAddr("10.1.2.3")) != true {
		t.Error("the RestEndpoint's own address is not allowed")
	}
}
