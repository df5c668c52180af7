package tenantshttp

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"causeway/internal/problem"
	"causeway/tenants"
)

func bodyOf(body string) *http.Request {
	return httptest.NewRequest(http.MethodPut, "/", strings.NewReader(body))
}

func TestParseReferences(t *testing.T) {
	const one, two = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-000000000002"
	urn := "urn:vcloud:org:"
	for _, tt := range []struct {
		body string
		want []tenants.OrgID
		code problem.Code
	}{
		{`{"values":[{"name":"a","id":"` + urn + one + `"},{"id":"` + two + `"}]}`, []tenants.OrgID{one, two}, ""},
		{`{"values":[{"id":"` + urn + one + `"},{"id":"` + strings.ToUpper(one) + `"}]}`, []tenants.OrgID{one}, ""},
		{`{"values":[]}`, nil, ""},
		{`{"values":null}`, nil, ""},
		{`{}`, nil, problem.BadRequest},
		{`null`, nil, problem.BadRequest},
		{``, nil, problem.BadRequest},
		{`[]`, nil, problem.BadRequest},
		{`{"values":{}}`, nil, problem.BadRequest},
		{`{"values":"x"}`, nil, problem.BadRequest},
		{`{"values":[null]}`, nil, problem.BadRequest},
		{`{"values":[1]}`, nil, problem.BadRequest},
		{`{"values":[{"id":1}]}`, nil, problem.BadRequest},
		{`{"values":[{"name":"a"}]}`, nil, problem.BadRequest},
		{`{"values":[{"id":"urn:vcloud:user:` + one + `"}]}`, nil, problem.BadRequest},
		{`{"values":[{"id":"x"}]}`, nil, problem.BadRequest},
		{`{"values":["` + strings.Repeat("x", 1<<20) + `"]}`, nil, problem.BadRequest},
	} {
		got, err := parseReferences[tenants.OrgID](bodyOf(tt.body), "org")
		if tt.code == "" && err != nil || tt.code != "" && !problem.Has(err, tt.code) || !slices.Equal(got, tt.want) {
			t.Errorf("%.100q: %q, %v; want %q, %q", tt.body, got, err, tt.want, tt.code)
		}
	}
}

func FuzzReferences(f *testing.F) {
	for _, seed := range []string{`{"values":[{"name":"a","id":"urn:vcloud:right:00000000-0000-4000-8000-00000000000a"}]}`, `{"values":null}`, `{"values":[null,1]}`, `{"Values":[]}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		ids, err := parseReferences[string](bodyOf(body), "right")
		if err != nil {
			if p := problem.As(err); p == nil || p.Code.Row().Status >= 500 {
				t.Fatalf("%v is no fault of the client's", err)
			}
			return
		}
		for i, id := range ids {
			if u, err := tenants.ParseUUID(id); err != nil || u != id || slices.Index(ids, id) != i {
				t.Fatalf("%q of %q", id, ids)
			}
		}
	})
}

// The text of a role is stored or refused, whatever it is.
func FuzzRoleText(f *testing.F) {
	for _, seed := range []string{`{"name":"a","description":"b","bundleKey":"c","publishAll":null}`, `{"bundleKey":null}`, `{"name":1}`, `[]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if _, _, err := parseText(bodyOf(body)); err != nil {
			if p := problem.As(err); p == nil || p.Code.Row().Status >= 500 {
				t.Fatalf("%v is no fault of the client's", err)
			}
		}
	})
}
