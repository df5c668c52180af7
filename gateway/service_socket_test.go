package gateway_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// talking is an instance that becomes a WebSocket and says back what it hears.
func talking(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") == "" {
		_, _ = fmt.Fprint(w, "not a socket")
		return
	}
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	fmt.Fprint(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	_ = rw.Flush()
	for {
		line, err := rw.ReadString('\n')
		if err != nil {
			return
		}
		fmt.Fprintf(rw, "%s %s: %s", r.Header.Get("X-Causeway-Principal"), r.Header.Get("X-Causeway-Permissions"), line)
		_ = rw.Flush()
	}
}

func (e *echo) socket(path, host, token string) (*bufio.Reader, net.Conn, int) {
	e.t.Helper()
	u, err := url.Parse(e.c.Site("west").API)
	must(e.t, err)
	c, err := tls.Dial("tcp", u.Host, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}) // what is tested comes behind
	must(e.t, err)
	e.t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(60 * time.Second))
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", path, host, token)
	br := bufio.NewReader(c)
	res, err := http.ReadResponse(br, nil)
	must(e.t, err)
	return br, c, res.StatusCode
}

// A call becomes a WebSocket where the definition has a route for that, for who has
// its permission, and not longer than the token is good.
func TestServiceInstance_R4_CSP40_WebSocketByRoute(t *testing.T) {
	w := start(t, storetest.SQLite)
	e := openEcho(t, w.c, talking, "echo:read")
	writer, secret := e.newApp("echo:write")
	for _, tt := range []struct {
		name, path, host, token string
		status                  int
	}{
		{"a route", "/echo/socket", "west", e.token, 101},
		{"a route, by the host", "/socket", echoHost, e.token, 101},
		{"without the permission", "/echo/socket", "west", e.exchange(writer, secret), 403},
		{"another route, answered as what it is without", "/echo/private/x", "west", e.token, 200},
	} {
		br, c, status := e.socket(tt.path, tt.host, tt.token)
		if status != tt.status {
			t.Errorf("%s: %d, want %d", tt.name, status, tt.status)
		}
		if status != 101 {
			continue
		}
		fmt.Fprint(c, "hello\n")
		if line, err := br.ReadString('\n'); err != nil || line != "app:"+e.id+" echo:read: hello\n" {
			t.Errorf("%s: %q %v", tt.name, line, err)
		}
	}
	br, c, _ := e.socket("/echo/socket", "west", e.token)
	e.c.Do(t, http.MethodPut, w.c.Site("west").API+e.csp()+"/oauth-apps/"+e.id+"/secret",
		sitetest.Bearer(e.admin, "Content-Type", "application/json"), strings.NewReader("{}")).Want(t, 200)
	begun := time.Now()
	if line, err := br.ReadString('\n'); err == nil {
		t.Errorf("it says %q", line)
	}
	if took := time.Since(begun); took > 40*time.Second {
		t.Errorf("it ended after %s", took)
	}
	c.Close()
}
