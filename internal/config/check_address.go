package config

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

var (
	siteName       = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$`)
	federationName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	hostName       = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?\.?$`)
)

func checkSite(c *Config, say report) {
	if !siteName.MatchString(c.Site.Name) {
		say("site.name", "must be 1 to 63 letters, digits, dots and dashes")
	}
	if c.Gossip != nil && c.Gossip.Federation != "" && !federationName.MatchString(c.Gossip.Federation) {
		say("gossip.federation", "must be 1 to 64 letters, digits, dots, dashes and underscores")
	}
}

func checkPublic(c *Config, say report) {
	if message := checkOrigin(c.Public.URL, "https"); c.Public.URL != "" && message != "" {
		say("public.url", message)
	}
	if c.Public.Certificate == "" && c.Public.Key != "" {
		say("public.certificate", "is required with public.key")
	}
	if c.Public.Certificate != "" && c.Public.Key == "" {
		say("public.key", "is required with public.certificate")
	}
	checkNetworks("public.trusted_proxies", c.Public.TrustedProxies, "would let everybody choose the address they are limited by", say)
	checkNetworks("public.proxy_protocol", c.Public.ProxyProtocol, "would let everybody choose the address they are limited by", say)
	checkNetworks("federation.allowed_networks", c.Federation.AllowedNetworks, "would let another site send us to this host itself; leave it out to allow public addresses", say)
	checkNetworks("csp.instance_networks", c.CSP.InstanceNetworks, "would let an instance be this host itself; leave it out to allow public addresses", say)
}

func checkNetworks(setting string, networks []netip.Prefix, everybody string, say report) {
	for i, p := range networks {
		switch key := indexed(setting, i); {
		case !p.IsValid():
			say(key, "is not a network such as 10.0.0.0/8")
		case p.Bits() == 0:
			say(key, everybody)
		case p != p.Masked():
			say(key, "has bits beyond its mask; write "+p.Masked().String())
		}
	}
}

// checkOrigin wants scheme://host[:port] and nothing else, not even a slash.
func checkOrigin(s string, schemes ...string) string {
	scheme, host, _ := strings.Cut(s, "://")
	allowed := false
	for _, want := range schemes {
		allowed = allowed || scheme == want
	}
	if !allowed {
		return "must start with " + strings.Join(schemes, ":// or ") + "://"
	}
	u, err := url.Parse(s)
	if err != nil || u.Host != host || !validHost(u.Hostname()) || strings.HasSuffix(host, ":") || u.Port() != "" && !validPort(u.Port()) {
		return "must be " + scheme + ":// with a host, perhaps a port, and nothing behind"
	}
	return ""
}

// listener is an address this process listens on.
type listener struct{ key, host, port string }

func checkAddresses(c *Config, say report) {
	type address struct{ key, value string }
	listen := []address{{"public.listen", c.Public.Listen}, {"peer.listen", c.Peer.Listen}, {"operations.listen", c.Operations.Listen}}
	reach := []address{{"peer.advertise", c.Peer.Advertise}}
	pool := func(name, listening, advertised string, seeds []string, networks []netip.Prefix) {
		listen = append(listen, address{name + ".listen", listening})
		reach = append(reach, address{name + ".advertise", advertised})
		for i, seed := range seeds {
			reach = append(reach, address{indexed(name+".seeds", i), seed})
		}
		checkNetworks(name+".networks", networks, "allows all, as none does", say)
	}
	if g := c.Gossip; g != nil {
		pool("gossip", g.Listen, g.Advertise, g.Seeds, g.Networks)
	}
	if l := c.Cells; l != nil {
		pool("cells", l.Listen, l.Advertise, l.Seeds, l.Networks)
	}

	var taken []listener
	for _, a := range listen {
		host, port, ok := splitAddress(a.value)
		if !ok || host != "" && !validHost(host) {
			say(a.key, "must be an address such as :8443 or 127.0.0.1:8443")
			continue
		}
		l := listener{a.key, host, port}
		for _, other := range taken {
			if l.collides(other) {
				say(a.key, "is the address of "+other.key+" too")
			}
		}
		taken = append(taken, l)
	}
	for _, a := range reach {
		host, port, ok := splitAddress(a.value)
		if a.value != "" && (!ok || !validHost(host) || everyInterface(host) || port == "0") {
			say(a.key, "must be an address others can reach, such as west.example.com:7443")
		}
	}
}

// collides is careful: port 0 takes a free one, and an empty host is every
// interface.
func (l listener) collides(other listener) bool {
	return l.port == other.port && l.port != "0" &&
		(l.host == other.host || everyInterface(l.host) || everyInterface(other.host))
}

func everyInterface(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "" || err == nil && a.IsUnspecified()
}

// splitAddress gives the port without leading zeros, so that ports compare.
func splitAddress(s string) (host, port string, ok bool) {
	host, port, err := net.SplitHostPort(s)
	if err != nil || !validPort(port) {
		return "", "", false
	}
	n, _ := strconv.Atoi(port)
	return host, strconv.Itoa(n), true
}

func validPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

func validHost(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	return hostName.MatchString(s)
}
