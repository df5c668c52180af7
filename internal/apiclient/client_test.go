package apiclient_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"causeway/internal/apiclient"
	"causeway/internal/httpapi"
)

// stage is a made-up site that notes what it is asked.
type stage struct {
	*httptest.Server
	ca   string
	seen []string
	fail http.HandlerFunc // answers all but logins and logouts
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{}
	s.Server = httptest.NewTLSServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	s.ca = filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(s.ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stage) serve(w http.ResponseWriter, r *http.Request) {
	s.seen = append(s.seen, r.Method+" "+r.URL.Path+" "+strings.Split(r.Header.Get("Authorization"), " ")[0])
	switch {
	case strings.HasPrefix(r.URL.Path, "/cloudapi/1.0.0/sessions") && r.Method == http.MethodPost:
		if _, password, _ := r.BasicAuth(); password != "right" {
			w.Header().Set(httpapi.HeaderRequestID, "id-1")
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"minorErrorCode":"UNAUTHORIZED","message":"[ id-1 ] The login is not valid.","stackTrace":null}`)
			return
		}
		w.Header().Set(httpapi.HeaderAccessToken, "access")
	case r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusNoContent)
	case s.fail != nil:
		s.fail(w, r)
	default:
		fmt.Fprintf(w, `{"agent":%q}`, r.UserAgent())
	}
}

func (s *stage) config() apiclient.Config {
	return apiclient.Config{URL: s.URL + "/api/", CAFile: s.ca, User: "jane", Password: "right"}
}

func TestClient_LogsInAndOut(t *testing.T) {
	s := newStage(t)
	for _, org := range []string{"", "System", "acme"} {
		s.seen = nil
		config := s.config()
		config.Org = org
		c, err := apiclient.Open(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		var answer struct{ Agent string }
		if err := c.Do(t.Context(), http.MethodGet, "/x", nil, &answer); err != nil || !strings.HasPrefix(answer.Agent, "causeway/") {
			t.Errorf("%+v, %v", answer, err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		login := "/cloudapi/1.0.0/sessions/provider"
		if org == "acme" {
			login = "/cloudapi/1.0.0/sessions"
		}
		want := []string{"POST " + login + " Basic", "GET /x Bearer", "DELETE /cloudapi/1.0.0/sessions/current Bearer"}
		if fmt.Sprint(s.seen) != fmt.Sprint(want) {
			t.Errorf("%q, want %q", s.seen, want)
		}
	}
}

// An access token from elsewhere opens a session that is not the command's to end.
func TestClient_AccessToken(t *testing.T) {
	s := newStage(t)
	config := s.config()
	config.Org, config.User, config.Password, config.Access = "a b", "", "", "access"
	c, err := apiclient.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Do(t.Context(), http.MethodGet, "/x", nil, nil); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if want := []string{"GET /x Bearer"}; fmt.Sprint(s.seen) != fmt.Sprint(want) {
		t.Errorf("%q, want %q", s.seen, want)
	}
}

func TestClient_ShowsRefusals(t *testing.T) {
	s := newStage(t)
	config := s.config()
	config.Password = "wr0ng"
	_, err := apiclient.Open(t.Context(), config)
	if err == nil || !apiclient.Refused(err, 401) || strings.Contains(err.Error(), "wr0ng") ||
		!strings.HasSuffix(err.Error(), "401 UNAUTHORIZED: The login is not valid. (request id-1)") {
		t.Errorf("%v", err)
	}
	c, err := apiclient.Open(t.Context(), s.config())
	if err != nil {
		t.Fatal(err)
	}
	for name, fail := range map[string]http.HandlerFunc{
		"no JSON": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "\x1b[2Jbad gateway", http.StatusBadGateway)
		},
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.invalid/", http.StatusFound)
		},
		"escapes": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(403)
			fmt.Fprint(w, `{"message":"\u001b[31mred"}`)
		},
		"an answer cut short": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"a":`) },
		"too much":            func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 17<<20)) },
	} {
		s.fail = fail
		err := c.Do(t.Context(), http.MethodGet, "/x", nil, &struct{}{})
		if err == nil || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// Credentials go to the site that was named, over TLS that proves it, or nowhere.
func TestOpen_Refuses(t *testing.T) {
	s := newStage(t)
	for _, u := range []string{"", "http://localhost", "https://", "localhost:8443", "https://u:p@host", "https://host/x", "https://host?x=y", s.URL + "/api/x"} {
		config := s.config()
		config.URL = u
		if _, err := apiclient.Open(t.Context(), config); err == nil {
			t.Errorf("%q is taken", u)
		}
	}
	config := s.config()
	config.CAFile = ""
	if _, err := apiclient.Open(context.Background(), config); err == nil {
		t.Error("a certificate of nobody known is taken")
	}
	empty := filepath.Join(t.TempDir(), "empty.pem")
	_ = os.WriteFile(empty, []byte("none"), 0o600)
	config.CAFile = empty
	if _, err := apiclient.Open(context.Background(), config); err == nil {
		t.Error("a file without a certificate is taken")
	}
	if len(s.seen) != 0 {
		t.Errorf("it was asked %q", s.seen)
	}
}
