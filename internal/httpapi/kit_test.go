package httpapi

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"causeway/internal/problem"
)

// requestID is what the contexts of these tests are identified by.
const requestID = "11111111-2222-4333-8444-555555555555"

// newContext is a request on its way through the engine, already identified.
func newContext(t *testing.T, method, target string, header http.Header) (*gin.Context, *httptest.ResponseRecorder) {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	w := httptest.NewRecorder()
	c, _ := gin.CreateTestContext(w)
	c.Request = httptest.NewRequest(method, target, nil)
	for name, values := range header {
		c.Request.Header[name] = values
	}
	c.Set(identityKey{}, &identity{id: requestID})
	return c, w
}

// post is a request with a body.
func post(contentType, target, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, target, io.NopCloser(strings.NewReader(body)))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return r
}

// headers makes a header of names and values; a name may come twice.
func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i+1 < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

func wantProblem(t *testing.T, err error, want problem.Code) {
	t.Helper()
	if !problem.Has(err, want) {
		t.Errorf("got %v, want %s", err, want)
	}
}
