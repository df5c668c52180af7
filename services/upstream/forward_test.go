package upstream_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// conversation is what an instance got and what the client got for it.
type conversation struct {
	got    string
	answer string
}

// showcase does whatever a query asks for.
func showcase(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Date"] = nil
	switch r.URL.RawQuery {
	case "chunked":
		_, _ = io.WriteString(w, "one")
		_ = http.NewResponseController(w).Flush()
		_, _ = io.WriteString(w, "two")
	case "trailers":
		h.Set("Trailer", "X-End, X-Other")
		_, _ = io.WriteString(w, "body")
		h.Set("X-End", "1")
		h.Set("X-Other", "2")
	case "late-trailers":
		_, _ = io.WriteString(w, "body")
		_ = http.NewResponseController(w).Flush()
		h.Set(http.TrailerPrefix+"X-Late", "1")
	case "hints":
		h.Set("Link", "</x>; rel=preload")
		h.Set("Set-Cookie", "planted")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusOK)
	case "304":
		h.Set("Etag", `"x"`)
		w.WriteHeader(http.StatusNotModified)
	case "204":
		w.WriteHeader(http.StatusNoContent)
	case "hop":
		h.Set("Connection", "X-Gone, keep-alive")
		h.Set("X-Gone", "1")
		h.Set("Keep-Alive", "timeout=5")
		h.Set("Proxy-Authenticate", "Basic")
		h.Set("Www-Authenticate", "Basic realm=x")
		h.Set("Upgrade", "h2c")
		h.Set("Transfer_Encoding", "chunked")
		w.WriteHeader(http.StatusUnauthorized)
	case "twice":
		h["X-Twice"] = []string{"a", "b"}
		h.Set("X-Causeway-Org", "planted")
		h.Set("Location", "//evil.example/")
		w.WriteHeader(http.StatusFound)
	case "gzip":
		h.Set("Content-Encoding", "gzip")
		_, _ = w.Write([]byte{0x1f, 0x8b, 8, 0, 1, 2, 3})
	case "events":
		h.Set("Content-Type", "text/event-stream; charset=utf-8")
		_, _ = io.WriteString(w, "data: x\n\n")
	case "large":
		for range 100 {
			_, _ = w.Write(make([]byte, 10_000))
		}
	case "cut":
		h.Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	default:
		_, _ = io.WriteString(w, "plain")
	}
}

// TestForward_R9_AsReverseProxy: each request reaches the instance, and each answer the
// client, as if net/http's own reverse proxy had taken it.
func TestForward_R9_AsReverseProxy(t *testing.T) {
	t.Parallel()
	var requests []string
	for _, q := range []string{"", "chunked", "trailers", "late-trailers", "hints", "304", "204", "hop", "twice", "gzip", "events", "large", "cut", "a;b=%zz&c"} {
		for _, method := range []string{"GET", "HEAD", "POST", "DELETE", "OPTIONS"} {
			if q == "cut" && method == "HEAD" { // there is nothing to cut, and the next request meets a connection that is about to close
				continue
			}
			requests = append(requests, method+" /sample/inventory?"+q+" HTTP/1.1\r\nHost: west.example\r\n\r\n")
		}
		requests = append(requests,
			"POST /sample/inventory?"+q+" HTTP/1.1\r\nHost: west.example\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello",
			"POST /sample/inventory?"+q+" HTTP/1.1\r\nHost: west.example\r\nTransfer-Encoding: chunked\r\nTrailer: X-Causeway-Org\r\n\r\n5\r\nhello\r\n0\r\nX-Causeway-Org: forged\r\n\r\n",
			"GET /sample/inventory?"+q+" HTTP/1.1\r\nHost: west.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
			"PUT /sample/inventory?"+q+" HTTP/1.1\r\nHost: west.example\r\nContent-Length: 0\r\n\r\n",
		)
	}
	for _, head := range []string{
		"Connection: close", "Connection: keep-alive, X-Mine\r\nX-Mine: 1", "Connection: X-Causeway-Org, x-causeway-principal", "Connection: Content-Type\r\nContent-Type: a/b",
		"TE: trailers, deflate", "TE: gzip", "Te: Trailers", "Upgrade: websocket\r\nConnection: Upgrade", "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: x",
		"Keep-Alive: 5\r\nProxy-Connection: keep-alive", "User-Agent: a", "User-Agent:", "X-Twice: a\r\nX-Twice: b", "Accept-Encoding: gzip", "Accept:",
		"X-Forwarded-For: 1.2.3.4\r\nForwarded: for=x", "Authorization: Bearer x\r\nCookie: a=b\r\nX_Causeway_Org: forged", "Expect: 100-continue", "Range: bytes=0-1\r\nIf-Match: x",
		"Proxy-Authorization: Basic x\r\nProxy-Authenticate: x", "Trailer: X-End", "Content-Encoding: gzip", "Host2: x\r\nVia: 1.1 x", "Connection: ,, ;\r\nX-A: 1", "Transfer_Encoding: chunked\r\nContent_Length: 5", "Keep_Alive: 5\r\nProxy_Connection: close", "X-Method-Override: PUT", "Idempotency-Key: k", "Cache-Control: no-cache\r\nPragma: no-cache",
	} {
		requests = append(requests, "GET /sample/inventory HTTP/1.1\r\nHost: west.example\r\n"+head+"\r\n\r\n")
	}
	talk := func(slow bool, requests ...string) []conversation {
		got := make(chan string, 1)
		g := newGate(t, func(w http.ResponseWriter, r *http.Request) {
			got <- told(r)
			showcase(w, r)
		})
		if slow {
			g.proxy.ByReverseProxy()
		}
		var all []conversation
		for _, request := range requests {
			c := conversation{answer: exchange(t, g.front, request)}
			select {
			case c.got = <-got:
			default:
			}
			all = append(all, c)
		}
		return all
	}
	theirs, ours := talk(true, requests...), talk(false, requests...)
	for i, request := range requests {
		if theirs[i].got == "" {
			t.Errorf("%q did not arrive", request)
		}
		if ours[i] != theirs[i] { // it is the yardstick that gets a second chance: on a loaded machine it lost the end of a long answer once
			theirs[i] = talk(true, request)[0]
		}
		if ours[i] != theirs[i] {
			t.Errorf("%q\narrives as\n%s\nfor\n%s\nand is answered\n%s\nfor\n%s", request, ours[i].got, theirs[i].got, ours[i].answer, theirs[i].answer)
		}
	}
}

// told is everything of a request.
func told(r *http.Request) string {
	body, err := io.ReadAll(r.Body)
	return fmt.Sprintf("%s %s length %d %v\n%s%q %v\ntrailers %v", r.Method, r.RequestURI, r.ContentLength, r.TransferEncoding, sorted(r.Header), body, err, r.Trailer)
}

func sorted(h http.Header) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(h)) {
		fmt.Fprintf(&b, "%s: %q\n", name, h[name])
	}
	return b.String()
}

// exchange sends bytes as they are and reads what comes back until the end of the
// answer.
func exchange(t *testing.T, front *httptest.Server, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", front.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	in := bufio.NewReader(conn)
	var all strings.Builder
	for {
		res, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			fmt.Fprintf(&all, "no answer: %v", err)
			return all.String()
		}
		body, err := io.ReadAll(res.Body)
		res.Header.Del("Date")
		fmt.Fprintf(&all, "%s length %d %v close %t\n%s%q %v\ntrailers %v\n", res.Status, res.ContentLength, res.TransferEncoding, res.Close, sorted(res.Header), body, err, res.Trailer)
		if res.StatusCode >= 200 {
			return all.String()
		}
	}
}

// TestForward_R9_TrailersPlantNothing: what comes late is not let through for that.
func TestForward_R9_TrailersPlantNothing(t *testing.T) {
	t.Parallel()
	g := newGate(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "announced" {
			w.Header().Set("Trailer", "Set-Cookie, X-Causeway-Org, X-End, Keep-Alive, Transfer_encoding")
		}
		_, _ = io.WriteString(w, "body")
		_ = http.NewResponseController(w).Flush()
		prefix := http.TrailerPrefix
		if r.URL.RawQuery == "announced" {
			prefix = ""
		}
		for _, name := range []string{"Set-Cookie", "X-Causeway-Org", "X-End", "Keep-Alive", "Transfer_encoding"} {
			w.Header().Set(prefix+name, "late")
		}
	})
	for _, slow := range []bool{false, true} {
		if slow {
			g.proxy.ByReverseProxy()
		}
		for _, q := range []string{"announced", "not"} {
			res := g.do("GET", "/sample/inventory?"+q, nil, nil)
			_, _ = io.ReadAll(res.Body)
			if len(res.Trailer) != 1 || res.Trailer.Get("X-End") != "late" {
				t.Errorf("%s, by a reverse proxy %t: %v", q, slow, res.Trailer)
			}
		}
	}
}
