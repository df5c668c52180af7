package httpapi

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"causeway/internal/problem"
	"causeway/tenants"
)

const (
	placeA = "a93c9db9-7471-3192-8d09-a8f7eeda85f9@92bed505-0000-4000-8000-105dbe47b6bb"
	placeB = "b93c9db9-7471-3192-8d09-a8f7eeda85f9@92bed505-0000-4000-8000-105dbe47b6bb"
)

func TestMultisite(t *testing.T) {
	for _, tt := range []struct {
		accept []string
		want   string // the scope, or the minor code of the refusal
	}{
		{nil, "local"},
		{[]string{"*/*"}, "local"},
		{[]string{"application/json;version=37.0;multisite=global"}, "global"},
		{[]string{"application/json;multisite=global;version=35.0"}, "global"},
		{[]string{"application/json; MultiSite = Global ;version=35.0"}, "global"},
		{[]string{"application/*+json;version=35.0;multisite=true"}, "global"},
		{[]string{`application/*+xml;multisite="global"`}, "global"},
		{[]string{"application/json;multisite=false"}, "local"},
		{[]string{"application/json;multisite=local, application/*+json;multisite=false"}, "local"},
		{[]string{"application/*+json;version=V;multisite=global, application/json;version=V;multisite=global"}, "global"},
		{[]string{"application/*+json;multisite=global, */*"}, "global"},
		{[]string{"text/html", "application/json;multisite=global"}, "global"},
		{[]string{"application/json;multisite=" + placeA}, placeA},
		{[]string{"application/json;multisite=" + placeB + "," + placeA + ";version=37.0"}, placeA + " " + placeB},
		{[]string{"application/json;multisite=" + placeB + ":" + placeA}, placeA + " " + placeB},
		{[]string{`application/json;multisite="` + placeB + `, ` + placeA + `", text/plain`}, placeA + " " + placeB},
		{[]string{"application/json;multisite=" + strings.ToUpper(placeA) + "," + placeA}, placeA},
		{[]string{"application/json;multisite=" + placeA + "," + placeB + ",application/*+json;multisite=" + placeB + "," + placeA}, placeA + " " + placeB},
		{[]string{"application/json;multisite=" + placeA + ", application/*+json;multisite=" + placeB}, "INVALID_MULTISITE_QUERY_ARGS"},
		{[]string{"application/json;multisite=global;multisite=local"}, "INVALID_MULTISITE_QUERY_ARGS"},
		{[]string{"application/json;multisite=global", "application/json;multisite=local"}, "INVALID_MULTISITE_QUERY_ARGS"},
		{[]string{"application/json;multisite"}, "INVALID_MULTISITE_QUERY_ARGS"},
		{[]string{"application/json;multisite=,"}, "INVALID_MULTISITE_QUERY_ARGS"},
		{[]string{"application/json;multisite=acme"}, "INVALID_MULTISITE_QUERY_ARGS"},
		{[]string{"application/json;multisite=" + placeA + ",global"}, "INVALID_MULTISITE_QUERY_ARGS"},
		{[]string{"application/json;multisite=" + strings.Repeat(placeA+",", 257)}, "INVALID_MULTISITE_QUERY_ARGS"},
	} {
		if got := scopeOf(http.Header{"Accept": tt.accept}); got != tt.want {
			t.Errorf("%q is %s, want %s", tt.accept, got, tt.want)
		}
	}
}

func scopeOf(h http.Header) string {
	s, err := Multisite(h)
	switch {
	case err != nil:
		return problem.From(err).Code.Row().Minor
	case s.Global:
		return "global"
	case !s.Wide():
		return "local"
	}
	var all []string
	for _, l := range s.Locations {
		all = append(all, l.String())
	}
	return strings.Join(all, " ")
}

func TestLocalAccept(t *testing.T) {
	for _, tt := range []struct{ path, accept, want string }{
		{"/cloudapi/1.0.0/orgs", "application/json;version=37.0;multisite=global", "application/json;version=37.0;multisite=local"},
		{"/cloudapi/1.0.0/orgs", "application/*+json;multisite=" + placeA + "," + placeB + ";version=37.0, application/json", "application/*+json;version=37.0;multisite=local,application/json;multisite=local"},
		{"/api/query", "application/*+xml;version=36.2;multisite=global", "application/*+json;version=36.2;multisite=local"},
		{"/api/query", "application/*+xml;multisite=global", "application/*+json;version=" + Version + ";multisite=local"},
		{"/api/query", `application/*+xml;version="x\r\ny";multisite=global`, "application/*+json;version=" + Version + ";multisite=local"},
	} {
		r := httptest.NewRequest(http.MethodGet, tt.path, nil)
		r.Header.Set("Accept", tt.accept)
		if got := LocalAccept(r); got != tt.want {
			t.Errorf("%s of %s is %s", tt.path, tt.accept, got)
		}
	}
}

// FuzzMultisite: what can be read is bounded, sorted and asked of one place at a
// time; what cannot is a client's fault.
func FuzzMultisite(f *testing.F) {
	f.Add("application/json;version=37.0;multisite=global")
	f.Add("application/*+json;multisite=" + placeA + "," + placeB + ", application/json;multisite=" + placeA + ":" + placeB)
	f.Add(`a/b;multisite="true",;;=,multisite=`)
	f.Fuzz(func(t *testing.T, accept string) {
		h := http.Header{"Accept": {accept}}
		s, err := Multisite(h)
		if err != nil && problem.From(err).Code != problem.InvalidMultisiteArgs {
			t.Fatal(err)
		}
		if len(s.Locations) > maxLocations || (s.Global && len(s.Locations) > 0) || !slices.IsSortedFunc(s.Locations, tenants.LocationID.Compare) {
			t.Fatalf("read %+v", s)
		}
		for _, path := range []string{"/api/org", "/cloudapi/1.0.0/orgs"} {
			r := &http.Request{URL: httptest.NewRequest(http.MethodGet, path, nil).URL, Header: h}
			if again, err := Multisite(http.Header{"Accept": {LocalAccept(r)}}); err != nil || again.Wide() {
				t.Fatalf("%q asks one place for %+v, %v", LocalAccept(r), again, err)
			}
		}
	})
}
