package openapihttp_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"causeway/internal/httpapi"
	"causeway/internal/openapihttp"
	"causeway/internal/sitetest"
	"causeway/tenants"
)

// A route without a description, and a description without a route, keep a site
// from starting.
func TestDocuments_AreOfWhatIsServed(t *testing.T) {
	e := httpapi.Endpoints{Routes: []httpapi.Route{
		{Method: "GET", Path: "/cloudapi/1.0.0/users/:id", Rights: []tenants.Right{"any session"}},
		{Method: "PATCH", Path: "/cloudapi/1.0.0/users/:id"},
		{Method: "GET", Path: "/cloudbpi/1.0.0/users"},
		{Method: "GET", Path: "/api/org"},
	}}
	_, err := openapihttp.Documents(e)
	if err == nil {
		t.Fatal("nothing is missing")
	}
	_, list, _ := strings.Cut(err.Error(), ": ")
	missing := strings.Split(list, ", ")
	for text, want := range map[string]bool{
		"PATCH /cloudapi/1.0.0/users/:id":                true,
		"GET /cloudbpi/1.0.0/users":                      true,
		"POST /cloudapi/1.0.0/users (not served)":        true,
		"GET /cloudapi/1.0.0/users/:id":                  false,
		"GET /api/org":                                   false,
		"GET /oauth/tenant/:org/jwks (not served)":       true,
		"GET /cloudapi/causeway/1.0.0/site (not served)": true,
		"GET /csp/gateway/am/api/auth/keys (not served)": true,
	} {
		if slices.Contains(missing, text) != want {
			t.Errorf("%q is missing: %t, want %t", text, !want, want)
		}
	}
}

type servedDocument struct {
	OpenAPI string
	Paths   map[string]map[string]struct {
		OperationID string
		Right       []string `json:"x-causeway-right"`
		Security    []map[string]any
		Parameters  []struct{ Name, In string }
	}
	Components struct{ Schemas map[string]json.RawMessage }
}

// wholeDocument fails unless a served document is complete in itself, is for
// everybody, and says nothing of the site.
func wholeDocument(t *testing.T, c *sitetest.Client, path string) {
	t.Helper()
	a := c.Get(t, "west", path, nil).Want(t, http.StatusOK)
	var doc servedDocument
	if err := json.Unmarshal(a.Body, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" || len(doc.Paths) == 0 {
		t.Errorf("%s: OpenAPI %q with %d paths", path, doc.OpenAPI, len(doc.Paths))
	}
	for part := range strings.SplitSeq(string(a.Body), `"#/components/schemas/`) {
		if name, _, _ := strings.Cut(part, `"`); !strings.HasPrefix(part, "{") && doc.Components.Schemas[name] == nil {
			t.Errorf("%s refers to a schema %s, which it lacks", path, name)
		}
	}
	ids := map[string]bool{}
	for template, item := range doc.Paths {
		for method, o := range item {
			if ids[o.OperationID] || o.OperationID == "" {
				t.Errorf("%s: the id %q of %s %s is not its own", path, o.OperationID, method, template)
			}
			ids[o.OperationID] = true
			if open := len(o.Security) == 0; open != (len(o.Right) == 0) {
				t.Errorf("%s: %s %s has security %v and rights %v", path, method, template, o.Security, o.Right)
			}
			for _, p := range o.Parameters {
				if p.In == "path" && !strings.Contains(template, "{"+p.Name+"}") {
					t.Errorf("%s: %s has no %s", path, template, p.Name)
				}
			}
		}
	}
	if strings.Contains(string(a.Body), "localhost") || strings.Contains(string(a.Body), "west") {
		t.Errorf("%s tells of the site that serves it", path)
	}
	tag := a.Header.Get("ETag")
	if again := c.Get(t, "west", path, http.Header{"If-None-Match": {tag}}); tag == "" || again.Status != http.StatusNotModified {
		t.Errorf("%s, which is kept as %s: %d", path, tag, again.Status)
	}
}
