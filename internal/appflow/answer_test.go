package appflow

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
)

func TestVCDEndpoints_VCD65_VCD67(t *testing.T) {
	for _, tt := range []struct{ site, org, token string }{
		{"https://vcd.example.com", "ACME", "https://vcd.example.com/oauth/tenant/ACME/token"},
		{"https://vcd.example.com/", "ACME", "https://vcd.example.com/oauth/tenant/ACME/token"},
		{"https://vcd.example.com:8443/api", "a b/c", "https://vcd.example.com:8443/oauth/tenant/a%20b%2Fc/token"},
		{"https://[::1]:8443/api/", "system", "https://[::1]:8443/oauth/provider/token"},
	} {
		e, err := VCD(tt.site, tt.org)
		if err != nil || e.Token != tt.token {
			t.Errorf("%s %s: %q, %v", tt.site, tt.org, e.Token, err)
		}
		if e.Device != strings.TrimSuffix(tt.token, "token")+"device_authorization" || !strings.HasSuffix(e.Session, "/cloudapi/1.0.0/sessions/current") {
			t.Errorf("%s %s: %+v", tt.site, tt.org, e)
		}
	}
	for _, site := range []string{"", "vcd.example.com", "http://vcd.example.com", "https://", "https://user:word@host", "https://host/x", "https://host?x=1", "https://host#x"} {
		if _, err := VCD(site, "ACME"); err == nil {
			t.Errorf("%q is taken", site)
		}
	}
	if _, err := VCD("https://host", ""); err == nil {
		t.Error("no organization is taken")
	}
}

// authorize asks a server that says this.
func authorize(t *testing.T, body string) (Request, error) {
	s := &server{replies: []reply{{status: http.StatusOK, body: body}}}
	c := s.client()
	c.Device = "https://site/device_authorization"
	return c.Authorize(t.Context())
}

func TestAuthorizeAnswers_VCD72(t *testing.T) {
	r, err := authorize(t, `{"device_code":"d","user_code":"ABCD-EFGH","verification_uri":"https://site/v","expires_in":3600,"interval":60}`)
	if err != nil || r.Interval != time.Minute || r.ExpiresIn != time.Hour || r.UserCode != "ABCD-EFGH" {
		t.Errorf("got %+v, %v", r, err)
	}
	r, err = authorize(t, `{"device_code":"d","user_code":"u","verification_uri":"https://site/v","expires_in":9223372036854775807}`)
	if err != nil || r.Interval != 5*time.Second || r.ExpiresIn != 366*24*time.Hour {
		t.Errorf("got %+v, %v", r, err)
	}
	for _, body := range []string{``, `[]`, `{}`, `{"device_code":"d","user_code":"u","verification_uri":"https://site/v","expires_in":0}`,
		`{"device_code":"d","user_code":"u","expires_in":1}`, `{"device_code":"d","verification_uri":"v","expires_in":1}`, `{"user_code":"u","verification_uri":"v","expires_in":1}`} {
		if _, err := authorize(t, body); err == nil {
			t.Errorf("%s is taken", body)
		}
	}
}

// R2: what can be followed or scanned never carries the user code.
func TestLink_R2(t *testing.T) {
	for uri, want := range map[string]bool{
		"https://site/verify":                   true,
		"https://site/verify?code=abcd-efgh":    false,
		"https://site/verify/AB-CDEFGH":         false,
		"http://site/verify":                    false,
		"javascript:alert(1)":                   false,
		"verify":                                false,
		"https://site/\u001b]0;title":           false,
		"https://site/device?from=ABCD&to=EFGH": true,
	} {
		if _, ok := (Request{UserCode: "ABCD-EFGH", VerificationURI: uri}).Link(); ok != want {
			t.Errorf("%q may be a link: %v", uri, ok)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for value, want := range map[string]time.Duration{
			"": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "99999": longestWait, "99999999999999999999": 0,
			time.Now().Add(time.Minute).UTC().Format(http.TimeFormat): time.Minute, time.Now().Add(-time.Minute).UTC().Format(http.TimeFormat): 0,
		} {
			if got := retryAfter(value); got != want {
				t.Errorf("%q is %s, want %s", value, got, want)
			}
		}
	})
}

// FuzzAnswer feeds what a server may say; nothing of it may reach a terminal
// that the terminal would obey.
func FuzzAnswer(f *testing.F) {
	f.Add(200, `{"device_code":"d","user_code":"u","verification_uri":"https://site/v","expires_in":3600,"interval":60}`)
	f.Add(400, `{"error":"access_denied","error_description":"\u001b[2J"}`)
	f.Add(429, `{"minorErrorCode":"slow_down","message":"\u202e"}`)
	f.Add(500, "<html>")
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 100 || status > 999 {
			return
		}
		s := &server{replies: []reply{{status: status, body: body, retryAfter: body}}}
		c := s.client()
		c.Device, c.Session = "https://site/d", "https://site/s"
		r, err := c.Authorize(t.Context())
		shown := r.UserCode + r.VerificationURI
		if err != nil {
			shown += err.Error()
		} else if r.ExpiresIn <= 0 || r.Interval <= 0 || r.Interval > longestWait {
			t.Fatalf("taken: %+v", r)
		}
		if who, err := c.whoAmI(t.Context(), "a"); err == nil {
			shown += who.Name + who.Org + strings.Join(who.Roles, "")
		}
		if strings.ContainsFunc(shown, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("shown: %q", shown)
		}
	})
}

// sluggish answers as late as it can, and asks to come back as late as is heard.
type sluggish struct{}

func (sluggish) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(callTimeout - time.Nanosecond)
	return &http.Response{
		StatusCode: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {"10"}}, Body: http.NoBody, Request: r,
	}, nil
}

// hanging never answers.
type hanging struct{}

func (hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// Who waits for another process to refresh waits for LongestCall.
func TestLongestCall(t *testing.T) {
	for _, site := range []http.RoundTripper{sluggish{}, hanging{}} {
		synctest.Test(t, func(t *testing.T) {
			c := &Client{Endpoints: Endpoints{Token: "https://site/token"}, HTTP: &http.Client{Transport: site}}
			began := time.Now()
			_, err := c.Refresh(t.Context(), "token")
			if took := time.Since(began); err == nil || took > LongestCall || took < callTries*(callTimeout-time.Second) {
				t.Errorf("%T: %v, after %v", site, err, took)
			}
		})
	}
	if LongestCall != 190*time.Second {
		t.Errorf("five calls of 30 s and four waits of 10 s are not %v", LongestCall)
	}
}
