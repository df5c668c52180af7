package httpapi

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"
)

func TestClientAddr_R8(t *testing.T) {
	none := []netip.Prefix(nil)
	inside := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, tt := range []struct {
		name, remote string
		forwarded    []string
		trusted      []netip.Prefix
		want         string
	}{
		{"no proxies", "192.0.2.1:4711", nil, none, "192.0.2.1"},
		{"no proxies are trusted by default", "192.0.2.1:4711", []string{"6.6.6.6"}, none, "192.0.2.1"},
		{"nor private networks", "10.0.0.1:4711", []string{"6.6.6.6"}, none, "10.0.0.1"},
		{"nor the own machine", "127.0.0.1:4711", []string{"6.6.6.6"}, none, "127.0.0.1"},
		{"a stranger is no proxy", "192.0.2.1:4711", []string{"6.6.6.6"}, inside, "192.0.2.1"},
		{"a proxy says who", "10.0.0.1:4711", []string{"192.0.2.1"}, inside, "192.0.2.1"},
		{"what the client put in front does not count", "10.0.0.1:4711", []string{"6.6.6.6, 192.0.2.1"}, inside, "192.0.2.1"},
		{"a chain of proxies", "10.0.0.1:4711", []string{"192.0.2.1, 10.0.0.3, 10.0.0.2"}, inside, "192.0.2.1"},
		{"a chain over several lines", "10.0.0.1:4711", []string{"6.6.6.6", "192.0.2.1,10.0.0.2"}, inside, "192.0.2.1"},
		{"a stranger in the chain ends it", "10.0.0.1:4711", []string{"6.6.6.6, 192.0.2.1, 10.0.0.2"}, inside, "192.0.2.1"},
		{"a client that pretends to be a proxy", "10.0.0.1:4711", []string{"6.6.6.6, 10.9.9.9, 192.0.2.1"}, inside, "192.0.2.1"},
		{"nothing but proxies", "10.0.0.1:4711", []string{"10.0.0.3, 10.0.0.2"}, inside, "10.0.0.3"},
		{"a proxy that says nothing", "10.0.0.1:4711", nil, inside, "10.0.0.1"},
		{"a proxy that says nothing, in a line", "10.0.0.1:4711", []string{""}, inside, "10.0.0.1"},
		{"garbage", "10.0.0.1:4711", []string{"unknown"}, inside, "10.0.0.1"},
		{"garbage behind an address", "10.0.0.1:4711", []string{"192.0.2.1, unknown"}, inside, "10.0.0.1"},
		{"an address with a port is not guessed at", "10.0.0.1:4711", []string{"192.0.2.1:80"}, inside, "10.0.0.1"},
		{"a comma at the end", "10.0.0.1:4711", []string{"192.0.2.1,"}, inside, "10.0.0.1"},
		{"IPv6", "[2001:db8::1]:4711", []string{"6.6.6.6"}, inside, "2001:db8::1"},
		{"an IPv6 proxy", "[fd00::1]:4711", []string{"2001:db8::1"}, inside, "2001:db8::1"},
		{"IPv4 within IPv6", "[::ffff:10.0.0.1]:4711", []string{"::ffff:192.0.2.1"}, inside, "192.0.2.1"},
		{"a zone", "[fe80::1%eth0]:4711", nil, none, "fe80::1"},
		{"a zone that a header names", "10.0.0.1:4711", []string{"fe80::1%6.6.6.6"}, inside, "fe80::1"},
		{"no remote address", "", []string{"6.6.6.6"}, inside, "::"},
		{"a socket file", "@", []string{"6.6.6.6"}, inside, "::"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := newContext(t, "GET", "/", nil)
			c.Request.RemoteAddr = tt.remote
			if tt.forwarded != nil {
				c.Request.Header["X-Forwarded-For"] = tt.forwarded
			}
			for _, name := range []string{"X-Real-Ip", "Forwarded", "X-Client-Ip", "True-Client-Ip", "X-Forwarded_for"} {
				c.Request.Header.Set(name, "for=6.6.6.6")
			}
			Identify(tt.trusted)(c)
			if got := ClientAddr(c).String(); got != tt.want {
				t.Errorf("the client is %s, want %s", got, tt.want)
			}
		})
	}
}

func TestRequestID(t *testing.T) {
	const uuid = `[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`
	for _, tt := range []struct{ name, from, want string }{
		{"none", "", uuid},
		{"the SDK's", "12-2024-04-13-01-58-25-733-", "12-2024-04-13-01-58-25-733-" + uuid},
		{"without a dash at the end", "terraform1", "terraform1-" + uuid},
		{"too long", strings.Repeat("x", 200), strings.Repeat("x", 128) + "-" + uuid},
		{"a blank", "a b", uuid},
		{"a line break that would forge a log line", "a\r\nb", uuid},
		{"other alphabets", "ä", uuid},
		{"HTML", "<script>", uuid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, w := newContext(t, "GET", "/", headers(HeaderClientRequest, tt.from))
			Identify(nil)(c)
			id := w.Header().Get(HeaderRequestID)
			if !regexp.MustCompile("^"+tt.want+"$").MatchString(id) || id != RequestID(c) {
				t.Errorf("the answer says %q, the log %q, want %s", id, RequestID(c), tt.want)
			}
			again, w2 := newContext(t, "GET", "/", headers(HeaderClientRequest, tt.from))
			if Identify(nil)(again); w2.Header().Get(HeaderRequestID) == id {
				t.Error("two requests have one id")
			}
		})
	}
}

func TestAnonymous(t *testing.T) {
	c, _ := newContext(t, "GET", "/", headers("User-Agent", strings.Repeat("ä", 200)+"\xff"))
	c.Request.RemoteAddr = "[2001:db8:1:2:3:4:5:6]:1"
	Identify(nil)(c)
	who := Anonymous(c)
	if who.Address != "2001:db8:1:2:3:4:5:6" || !strings.HasPrefix(who.Source, "2001:db8:1:2:") || strings.Contains(who.Source, ":6") {
		t.Errorf("address %q, source %q", who.Address, who.Source)
	}
	if len(who.UserAgent) > 255 || !strings.HasSuffix(who.UserAgent, "ä?") {
		t.Errorf("user agent %q", who.UserAgent)
	}
	if who.RequestID != RequestID(c) || who.Principal.ID != "" {
		t.Errorf("%+v", who)
	}
}
