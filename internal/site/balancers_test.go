package site

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"
)

// whoAsked is a server behind balancers on networks that answers with the client's
// address, and what a connection that begins with header is told.
func whoAsked(t *testing.T, networks ...string) (ask func(header []byte) string) {
	t.Helper()
	var trusted []netip.Prefix
	for _, n := range networks {
		trusted = append(trusted, netip.MustParsePrefix(n))
	}
	s := serveOn(t, behindBalancers(listenLoopback(t), trusted), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		_, _ = io.WriteString(w, host)
	}))
	t.Cleanup(func() { stopSoon(t, s) })
	return func(header []byte) string {
		t.Helper()
		plain, err := net.Dial("tcp", s.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer plain.Close()
		_ = plain.SetDeadline(time.Now().Add(20 * time.Second))
		if _, err := plain.Write(header); err != nil {
			return "refused"
		}
		conn := tls.Client(plain, &tls.Config{InsecureSkipVerify: true})
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: west.example\r\nConnection: close\r\n\r\n"); err != nil {
			return "refused"
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return "refused"
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
}

func header(t *testing.T, version byte) []byte {
	t.Helper()
	h := proxyproto.HeaderProxyFromAddrs(version, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 4711}, &net.TCPAddr{IP: net.IPv4(198, 51, 100, 1), Port: 443})
	text, err := h.Format()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Limits, audit and refusals go by the address of the client, and nobody but a
// balancer can say another than their own.
func TestBalancersSayWhoAsks_R13(t *testing.T) {
	for name, tt := range map[string]struct {
		networks []string
		header   []byte
		want     string
	}{
		"version 1":                       {[]string{"127.0.0.0/8"}, header(t, 1), "192.0.2.7"},
		"version 2":                       {[]string{"127.0.0.0/8"}, header(t, 2), "192.0.2.7"},
		"a balancer that says nothing":    {[]string{"127.0.0.0/8"}, nil, "refused"},
		"a header that is none":           {[]string{"127.0.0.0/8"}, []byte("PROXY nonsense\r\n"), "refused"},
		"a stranger's header":             {[]string{"192.0.2.0/24"}, header(t, 1), "refused"},
		"a stranger":                      {[]string{"192.0.2.0/24"}, nil, "127.0.0.1"},
		"nobody is a balancer":            {nil, nil, "127.0.0.1"},
		"a header where nobody is":        {nil, header(t, 2), "refused"},
		"a check of the balancer's (v2)":  {[]string{"127.0.0.0/8"}, []byte("\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"), "127.0.0.1"},
		"an end in the middle of its own": {[]string{"127.0.0.0/8"}, []byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x00"), "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := whoAsked(t, tt.networks...)(tt.header); got != tt.want {
				t.Errorf("%s; want %s", got, tt.want)
			}
		})
	}
}
