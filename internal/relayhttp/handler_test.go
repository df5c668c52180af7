package relayhttp

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"causeway/internal/problem"
)

// FuzzParse: what is no webhook is refused, and says why.
func FuzzParse(f *testing.F) {
	for _, body := range []string{``, `{}`, `null`, `{"name":"a","url":"https://a.example/b","giveUpSeconds":-9223372036854775808}`, `{"orgId":"urn:vcloud:org:x"}`, `{"url":7}`} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		if _, err := parse(r); err != nil && problem.As(err) == nil {
			t.Errorf("%q: %v", body, err)
		}
	})
}
