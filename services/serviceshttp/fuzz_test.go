package serviceshttp

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/services"
)

func post(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}

// refused wants a refusal that is the client's fault.
func refused(t *testing.T, err error) {
	t.Helper()
	if p := problem.As(err); p == nil || p.Code.Row().Status != http.StatusBadRequest {
		t.Fatalf("it was refused by %v", err)
	}
}

func FuzzParseInstance(f *testing.F) {
	for _, body := range []string{
		``, `null`, `{}`, `[]`, `{"name":"a","hosts":[null],"healthCheck":null,"enabled":null}`, `{"timeoutMilliseconds":9223372036854775807}`,
		`{"timeoutMilliseconds":-9223372036854775808,"prefix":"////"}`, `{"timeoutMilliseconds":1e3}`, `{"nome":1}`, `{"upstreamHealth":[],"id":7}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		b, err := parseInstance(post(body))
		if err != nil {
			refused(t, err)
			return
		}
		d := b.draft()
		if d.Mode == "" || d.Timeout.Abs() > 7*24*time.Hour || d.Timeout < 0 != (b.Timeout < 0) {
			t.Fatalf("%+v became %+v", b, d)
		}
	})
}

func FuzzParseAccount(f *testing.F) {
	for _, body := range []string{``, `{}`, `{"id":"SA::x"}`, `{"id":7}`, `{"id":"sa::sa::x"}`, `{"id":"İ"}`, `{"id":"K"}`, `{"id":"x","name":"y"}`} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		name, err := parseAccount(post(body))
		if err == nil {
			name, err = services.ParseManual(name)
		}
		if err != nil {
			refused(t, err)
			return
		}
		again, err := services.ParseManual(name)
		if err != nil || again != name || name != strings.ToLower(name) || !strings.HasPrefix(name, "sa::") || strings.ContainsAny(name, "/ \n") {
			t.Fatalf("%q became %q, %v", body, name, err)
		}
	})
}

func FuzzParseDefinitionBody(f *testing.F) {
	for _, body := range []string{``, `{}`, "name: a", `{"name":"X","prefix":"xx","roles":[{"name":"xx:r"}]}`} {
		f.Add("application/json", body)
		f.Add("text/yaml; charset=utf-8", body)
		f.Add("", body)
	}
	f.Fuzz(func(t *testing.T, media, body string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header["Content-Type"] = []string{media}
		if _, err := parseDefinition(r); err != nil {
			refused(t, err)
		}
	})
}
