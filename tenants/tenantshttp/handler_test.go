package tenantshttp

import (
	"slices"
	"testing"
)

// Strangers may ask for versions and log in; each way to log in has the way to
// log out that SDKs take.
func TestEndpoints(t *testing.T) {
	e := (&Handler{}).Endpoints()
	var open []string
	for _, o := range e.Open {
		open = append(open, o.Method+" "+o.Path)
	}
	slices.Sort(open)
	want := []string{
		"GET /api/versions", "POST /api/login", "POST /api/sessions", "POST /cloudapi/1.0.0/sessions", "POST /cloudapi/1.0.0/sessions/provider",
	}
	if !slices.Equal(open, want) {
		t.Errorf("open to strangers: %q, want %q", open, want)
	}
	var guarded []string
	for _, rt := range e.Routes {
		guarded = append(guarded, rt.Method+" "+rt.Path)
		if len(rt.Rights) == 0 {
			t.Errorf("%s %s asks for no right", rt.Method, rt.Path)
		}
	}
	for _, path := range []string{
		"/cloudapi/1.0.0/sessions", "/cloudapi/1.0.0/sessions/provider", "/cloudapi/1.0.0/sessions/current", "/api/sessions", "/api/login", "/api/session",
	} {
		if !slices.Contains(guarded, "DELETE "+path) {
			t.Errorf("there is no DELETE %s", path)
		}
	}
}
