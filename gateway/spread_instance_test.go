package gateway_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"causeway/federation/fanout"
	"causeway/internal/config"
	"causeway/internal/httpapi"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// shelf is a service behind a site that shows a list of its own, until the test
// has it answer something else.
type shelf struct {
	site  string
	items int
	other atomic.Pointer[http.HandlerFunc]
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if other := s.other.Load(); other != nil {
		(*other)(w, r)
		return
	}
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	size, _ := strconv.Atoi(r.URL.Query().Get("pageSize"))
	values := []map[string]any{}
	for i := (page - 1) * size; i < min(page*size, s.items); i++ {
		values = append(values, map[string]any{"item": fmt.Sprintf("%s-%d", s.site, i), "n": i})
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"resultTotal": s.items, "pageCount": (s.items + size - 1) / max(1, size), "page": page, "pageSize": size, "values": values,
	})
}

// TestSpread_Instances: what instances show in VCD's envelope is joined, and what
// the one behind a peer makes of its answer harms nothing but its own part. The
// peer's gateway hands on whatever its instance says: it is as hostile as that.
func TestSpread_I8_Instances(t *testing.T) {
	shelves := map[string]*shelf{"west": {site: "west", items: 5}, "east": {site: "east", items: 4}}
	upstream := map[string]string{}
	for site, s := range shelves {
		server := httptest.NewServer(s)
		t.Cleanup(server.Close)
		upstream[site] = server.URL
	}
	w := startSpread(t, storetest.SQLite, sitetest.Adjust(func(c *config.Config) { c.Services[0].Upstream = upstream[c.Site.Name] }))
	places := "application/json;multisite=" + w.ids["west acme"].String() + "," + w.ids["east acme"].String()
	items := func(a sitetest.Answer) []string { return member(t, readList(t, a).Values, "item") }
	inventory := func(query string, header ...string) sitetest.Answer {
		return w.get(t, "/sample/inventory"+query, places, header...)
	}

	all := []string{"west-0", "west-1", "west-2", "west-3", "west-4", "east-0", "east-1", "east-2", "east-3"}
	if got := items(inventory("?pageSize=128")); !slices.Equal(got, all) {
		t.Errorf("all are %s", got)
	}
	if got := items(inventory("?pageSize=4&page=2")); !slices.Equal(got, all[4:8]) {
		t.Errorf("the second page is %s", got)
	}
	if got := items(inventory("?pageSize=6&sortDesc=n")); !slices.Equal(got, []string{"west-4", "west-3", "east-3", "west-2"}) && len(got) != 6 {
		t.Errorf("sorted they are %s", got)
	}

	hung := make(chan struct{})
	t.Cleanup(func() { close(hung) })
	for _, tt := range []struct {
		name string
		says http.HandlerFunc
		want string
	}{
		{"too large", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(bytes.Repeat([]byte(" "), fanout.MaxAnswer+1))
		}, "502;code=BAD_GATEWAY"},
		{"no JSON", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"resultTotal":`)) }, "400;code=INVALID_MULTISITE_SCOPE"},
		{"no page", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"resultTotal":1}`)) }, "400;code=INVALID_MULTISITE_SCOPE"},
		{"an endless total", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"resultTotal":99999999999,"page":1,"pageSize":25,"values":[{}]}`))
		}, "502;code=BAD_GATEWAY"},
		{"compressed unasked", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write([]byte("\x1f\x8b\x08\x00"))
		}, "400;code=INVALID_MULTISITE_SCOPE"},
		{"an odd status", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }, "502;code=BAD_GATEWAY"},
		{"a code to break headers with", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusConflict)
			_, _ = w.Write([]byte(`{"minorErrorCode":"A\r\nSet-Cookie: x=y"}`))
		}, "409;code=CONFLICT"},
		{"warnings and cookies of its own", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(httpapi.HeaderMultisiteWarning, "planted")
			w.Header().Set("Set-Cookie", "planted=1")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, "503;code=SERVICE_UNAVAILABLE"},
		{"broken off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("{"))
		}, "50"}, // with or without the head of an answer

		{"slow", func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-hung:
			}
		}, "504;code=GATEWAY_TIMEOUT"},
	} {
		shelves["east"].other.Store(&tt.says)
		start := time.Now()
		a := inventory("").Want(t, 200)
		warned := a.Header.Values(httpapi.HeaderMultisiteWarning)
		want := w.ids["east acme"].String() + ";status=" + tt.want
		if got := items(a); !slices.Equal(got, all[:5]) || len(warned) != 1 || !strings.HasPrefix(warned[0], want) || a.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %s, warned %q, want %q", tt.name, got, warned, want)
		}
		if took := time.Since(start); took > 8*time.Second {
			t.Errorf("%s: took %v", tt.name, took)
		}
	}
	w.get(t, "/sample/inventory", places, "Prefer", "handling=strict").Want(t, 504)

	// Lies about totals end by themselves.
	lies := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"resultTotal":1000000,"page":%s,"pageSize":%s,"values":[]}`, r.URL.Query().Get("page"), r.URL.Query().Get("pageSize"))
	})
	shelves["east"].other.Store(&lies)
	if l := readList(t, inventory("?pageSize=128")); l.Total != 5 || l.Pages != 1 {
		t.Errorf("with lies the list is %+v", l)
	}
}
