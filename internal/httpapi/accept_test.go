package httpapi

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"causeway/internal/problem"
)

const locations = "a93c9db9-7471-3192-8d09-a8f7eeda85f9@11111111-2222-4333-8444-555555555555,b93c9db9-7471-3192-8d09-a8f7eeda85f9@11111111-2222-4333-8444-555555555555"

func TestCheckVersion(t *testing.T) {
	for _, tt := range []struct {
		name   string
		accept []string
		ok     bool
	}{
		{"no Accept", nil, true},
		{"an empty Accept", []string{""}, true},
		{"no version", []string{"application/json"}, true},
		{"anything", []string{"*/*"}, true},
		{"an empty version", []string{"application/json;version="}, true},
		{"a version we speak", []string{"application/json;version=37.0"}, true},
		{"our newest", []string{"application/*;version=" + Version}, true},
		{"blanks", []string{"application/json; version=37.0"}, true},
		{"in quotes", []string{`application/json;version="37.0"`}, true},
		{"in capitals", []string{"application/json;VERSION=37.0"}, true},
		{"multisite behind", []string{"application/json;version=37.0;multisite=global"}, true},
		{"multisite in front", []string{"application/json;multisite=global;version=35.0"}, false},
		{"a version from the future", []string{"application/json;version=40.0"}, false},
		{"a version from the past", []string{"application/*+xml;version=27.0"}, false},
		{"no number", []string{"application/json;version=latest"}, false},
		{"more than a version", []string{"application/json;version=37.0.0"}, false},
		{"two lines, one fits", []string{"application/*+xml;version=40.0", "vnd.vmware.vcloud.org+xml;version=37.0"}, true},
		{"two lines, both fit", []string{"application/*+xml;version=37.0", "application/*;version=37.0"}, true},
		{"two lines, none fits", []string{"application/*+xml;version=40.0", "application/*;version=41.0"}, false},
		{"one line, one fits", []string{"application/json;version=40.0, application/json;version=37.0"}, true},
		{"one line, none fits", []string{"application/json;version=40.0,application/xml;version=41.0"}, false},
		{"one fits anything", []string{"application/json;version=40.0,*/*"}, true},
		{"a list of locations", []string{"application/json;version=37.0;multisite=" + locations}, true},
		{"a list of locations in front", []string{"application/json;multisite=" + locations + ";version=37.0"}, true},
		{"a list of locations with a version we do not speak", []string{"application/json;version=40.0;multisite=" + locations}, false},
		{"a list of locations in front of a version we do not speak", []string{"application/json;multisite=" + locations + ";version=40.0"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, path := range []string{"/cloudapi/1.0.0/sessions", "//api//org"} {
				r := &http.Request{URL: httptest.NewRequest("GET", "/", nil).URL, Header: http.Header{"Accept": tt.accept}}
				r.URL.Path = path
				err := CheckVersion(r)
				if tt.ok && err != nil {
					t.Errorf("%s: %v", path, err)
				}
				if !tt.ok {
					wantProblem(t, err, problem.NotAcceptable)
				}
				// The OAuth endpoints and the instances behind us have no versions.
				for _, path := range []string{"/oauth/provider/token", "/sample/inventory", "/apis", "/"} {
					r.URL.Path = path
					if err := CheckVersion(r); err != nil {
						t.Errorf("%s: %v", path, err)
					}
				}
			}
		})
	}
}

func TestDialectOf(t *testing.T) {
	for _, tt := range []struct {
		path   string
		accept []string
		want   Dialect
	}{
		{"/oauth/provider/token", nil, OAuth},
		{"/oauth/tenant/acme/register", []string{"application/*+xml;version=37.0"}, OAuth},
		{"//oauth//provider/token", nil, OAuth},
		{"/oauth", nil, OAuth},
		{"/oauthx", nil, OpenAPI},
		{"/.well-known/oauth-authorization-server/oauth/tenant/acme", nil, OAuth},
		{"/.well-known/oauth-authorization-server", nil, OAuth},
		{"/.well-known/other", nil, OpenAPI},
		{"/api", nil, XML},
		{"/api/org", nil, XML},
		{"//api/org", nil, XML},
		{"/api/org", []string{"application/*+xml;version=37.0"}, XML},
		{"/api/org", []string{"application/*;version=37.0"}, XML},
		{"/api/org", []string{"application/json"}, XML}, // what SDKs send on every request
		{"/api/org", []string{"application/*+json;version=37.0"}, OpenAPI},
		{"/api/org", []string{"text/plain", "application/*+json"}, OpenAPI},
		{"/apis/org", nil, OpenAPI},
		{"/cloudapi/1.0.0/sessions", []string{"application/xml;version=37.0"}, OpenAPI},
		{"/sample/inventory", nil, OpenAPI},
		{"/", nil, OpenAPI},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path, r.Header = tt.path, http.Header{"Accept": tt.accept}
		if got := DialectOf(r); got != tt.want {
			t.Errorf("%s with Accept %q: dialect %d, want %d", tt.path, tt.accept, got, tt.want)
		}
	}
}
