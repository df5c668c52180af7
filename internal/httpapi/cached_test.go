package httpapi

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestCachedJSON(t *testing.T) {
	ask := func(v any, header http.Header) (status int, got http.Header, body string) {
		t.Helper()
		c, w := newContext(t, "GET", "/oauth/provider/jwks", header)
		CachedJSON(c, 5*time.Minute, v)
		return w.Code, w.Header(), w.Body.String()
	}
	status, header, body := ask(map[string]string{"a": "<b>"}, nil)
	tag := header.Get("ETag")
	if status != http.StatusOK || body != `{"a":"<b>"}`+"\n" || header.Get("Content-Type") != "application/json" ||
		header.Get("Cache-Control") != "public, max-age=300" || len(tag) != 24 {
		t.Fatalf("%d %v %s", status, header, body)
	}
	_, other, _ := ask(map[string]string{"a": "<c>"}, nil)
	if other.Get("ETag") == tag {
		t.Error("two documents have one tag")
	}
	for _, tt := range []struct {
		name  string
		kept  []string
		fresh bool
	}{
		{"the document", []string{tag}, true},
		{"weakly", []string{"W/" + tag}, true},
		{"among others", []string{`"x", ` + tag + ` , "y"`}, true},
		{"in a second header", []string{`"x"`, tag}, true},
		{"anything", []string{"*"}, true},
		{"another", []string{other.Get("ETag")}, false},
		{"nothing", []string{""}, false},
		{"without quotes", []string{strings.Trim(tag, `"`)}, false},
		{"in other letters", []string{strings.ToUpper(tag)}, false},
		{"weakly in lower case", []string{"w/" + tag}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, header, body := ask(map[string]string{"a": "<b>"}, http.Header{"If-None-Match": tt.kept})
			if tt.fresh && (status != http.StatusNotModified || body != "") {
				t.Errorf("%d %s", status, body)
			}
			if !tt.fresh && (status != http.StatusOK || body == "") {
				t.Errorf("%d %s", status, body)
			}
			if header.Get("ETag") != tag || header.Get("Cache-Control") != "public, max-age=300" {
				t.Errorf("a cache is told %v", header)
			}
		})
	}
}

// FuzzNoneMatch: only who names the tag, or everything, has it.
func FuzzNoneMatch(f *testing.F) {
	const tag = `"abc"`
	for _, s := range []string{"", "*", tag, "W/" + tag, `"x",` + tag, "W/W/" + tag, ",,"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, list string) {
		if has([]string{list}, tag) && !strings.Contains(list, tag) && !strings.Contains(list, "*") {
			t.Errorf("%q is taken for the tag", list)
		}
	})
}
