package appshttp

import (
	"encoding/base64"
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/oauth/apps"
)

func encoded(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }

func TestCredentials_CSP_34(t *testing.T) {
	one := func(id, key string) []apps.Credentials {
		return []apps.Credentials{{ID: id, Secret: secret.Text(key)}}
	}
	for name, tt := range map[string]struct {
		header string
		form   url.Values
		want   []apps.Credentials // nil: refused
	}{
		"raw":                {encoded("app:s3cret-_.~"), nil, one("app", "s3cret-_.~")},
		"encoded":            {encoded("app%2Dx:a%7Eb"), nil, append(one("app%2Dx", "a%7Eb"), one("app-x", "a~b")...)},
		"half encoded":       {encoded("app:a%zz"), nil, one("app", "a%zz")},
		"colon in secret":    {encoded("app:a:b"), nil, one("app", "a:b")},
		"scheme in any case": {strings.Replace(encoded("app:x"), "Basic", "bAsIC", 1), nil, one("app", "x")},
		"body":               {"", url.Values{"client_id": {"app"}, "client_secret": {"x"}}, one("app", "x")},
		"header wins":        {encoded("app:x"), url.Values{"client_id": {"other"}, "client_secret": {"y"}}, one("app", "x")},
		"bad header wins":    {"Bearer x", url.Values{"client_id": {"app"}, "client_secret": {"x"}}, nil},
		"no secret":          {encoded("app:"), nil, one("app", "")},
		"no colon":           {encoded("app"), nil, nil},
		"no id":              {encoded(":x"), nil, nil},
		"no base64":          {"Basic ???", nil, nil},
		"no UTF-8":           {encoded("app:\xff"), nil, nil},
		"too long":           {encoded("app:" + strings.Repeat("x", maxBasic)), nil, nil},
		"half a body":        {"", url.Values{"client_id": {"app"}}, nil},
		"nothing":            {"", nil, nil},
	} {
		r := httptest.NewRequest("POST", "/", nil)
		if tt.header != "" {
			r.Header.Set("Authorization", tt.header)
		}
		got, err := credentials(r, tt.form)
		if tt.want == nil && !problem.Has(err, problem.InvalidClient) || tt.want != nil && (err != nil || !reflect.DeepEqual(got, tt.want)) {
			t.Errorf("%s: %d readings, %v", name, len(got), err)
		}
	}
}

// Whatever the header says, it is refused or read in one or two ways, the first of
// which is what was sent.
func FuzzBasic(f *testing.F) {
	for _, seed := range []string{encoded("a:b"), encoded("%41:%"), "Basic ", "Basic =", "Bearer x", encoded("\xff:")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		got, err := basic(header)
		if err != nil {
			if !problem.Has(err, problem.InvalidClient) {
				t.Fatal(err)
			}
			return
		}
		if len(got) < 1 || len(got) > 2 || got[0].ID == "" {
			t.Fatalf("%d readings of %q", len(got), header)
		}
		again, err := basic(encoded(got[0].ID + ":" + got[0].Secret.Reveal()))
		if err != nil || !reflect.DeepEqual(again, got) {
			t.Fatalf("%q is read otherwise again: %v", header, err)
		}
	})
}

func TestParseExchange(t *testing.T) {
	for name, tt := range map[string]struct {
		form string
		want apps.Exchange
		ok   bool
	}{
		"nothing":       {"grant_type=client_credentials", apps.Exchange{}, true},
		"one name":      {"orgId=a", apps.Exchange{Org: "a"}, true},
		"the other":     {"org_id=a", apps.Exchange{Org: "a"}, true},
		"both alike":    {"org_id=a&orgId=a", apps.Exchange{Org: "a"}, true},
		"both":          {"org_id=a&orgId=b", apps.Exchange{}, false},
		"life":          {"accessTokenValiditySeconds=300&scope=x&state=y", apps.Exchange{Life: 5 * time.Minute}, true},
		"short life":    {"accessTokenValiditySeconds=1", apps.Exchange{Life: time.Minute}, true},
		"no life":       {"accessTokenValiditySeconds=0", apps.Exchange{}, false},
		"endless life":  {"accessTokenValiditySeconds=99999999999", apps.Exchange{}, false},
		"life of words": {"accessTokenValiditySeconds=long", apps.Exchange{}, false},
	} {
		form, _ := url.ParseQuery(tt.form)
		got, err := parseExchange(form)
		if tt.ok != (err == nil) || tt.ok && !reflect.DeepEqual(got, tt.want) || !tt.ok && !problem.Has(err, problem.InvalidRequest) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func FuzzParseExchange(f *testing.F) {
	f.Add("orgId=a&accessTokenValiditySeconds=60")
	f.Add("org_id=a&orgId=b")
	f.Fuzz(func(t *testing.T, text string) {
		form, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		e, err := parseExchange(form)
		if err != nil && !problem.Has(err, problem.InvalidRequest) || err == nil && e.Life != 0 && e.Life < time.Minute {
			t.Fatalf("%+v, %v", e, err)
		}
	})
}

func TestParseAPIToken_CSP(t *testing.T) {
	const media = "application/x-www-form-urlencoded"
	for name, tt := range map[string]struct {
		target, media, body, want string
		code                      problem.Code
	}{
		"current name":       {"/", media, "api_token=abc", "abc", ""},
		"old name":           {"/", media, "grant_type=api_token&refresh_token=abc", "abc", ""},
		"both alike":         {"/", media, "api_token=abc&refresh_token=abc&passcode=1", "abc", ""},
		"both":               {"/", media, "api_token=abc&refresh_token=abd", "", problem.InvalidRequest},
		"in the URL":         {"/?refresh_token=abc", "", "", "abc", ""},
		"another in the URL": {"/?api_token=abc", "", "", "", problem.InvalidRequest},
		"URL and body":       {"/?refresh_token=abc", media, "grant_type=api_token", "abc", ""},
		"twice":              {"/?refresh_token=abc", media, "refresh_token=abc", "", problem.InvalidRequest},
		"JSON":               {"/", "application/json", `{"api_token":"abc"}`, "abc", ""},
		"nothing":            {"/", media, "grant_type=api_token", "", problem.InvalidRequest},
		"no content type":    {"/", "", "api_token=abc", "", problem.InvalidRequest},
		"what cannot be":     {"/", media, "api_token=a%20b", "", problem.InvalidGrant},
		"more than can be":   {"/", media, "api_token=" + strings.Repeat("a", maxAPIToken+1), "", problem.InvalidGrant},
		"no encoding in it":  {"/?refresh_token=%zz", "", "", "", problem.InvalidRequest},
	} {
		r := httptest.NewRequest("POST", tt.target, strings.NewReader(tt.body))
		if tt.media != "" {
			r.Header.Set("Content-Type", tt.media)
		}
		got, err := parseAPIToken(r)
		if got != tt.want || tt.code == "" && err != nil || tt.code != "" && !problem.Has(err, tt.code) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func FuzzParseAPIToken(f *testing.F) {
	f.Add("refresh_token=abc", "grant_type=api_token", true)
	f.Add("", `{"api_token":"abc"}`, false)
	f.Fuzz(func(t *testing.T, query, body string, form bool) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.URL.RawQuery = query
		r.Header.Set("Content-Type", "application/json")
		if form {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		token, err := parseAPIToken(r)
		if err == nil && (token == "" || len(token) > maxAPIToken) || err != nil && problem.From(err).Code == problem.Internal {
			t.Fatalf("%q, %v", token, err)
		}
	})
}

// The words that a client looks for are there, and of the token no more than its end.
func TestAboutToken_R12(t *testing.T) {
	const token = "abcdefghijklmnopqrstuvwxyz"
	p := problem.As(aboutToken(problem.New(problem.InvalidGrant, "x").With(problem.FactReason, problem.ReasonExpired), token))
	if p.Detail != "Invalid refresh token: xxxx...vwxyz" || p.Facts[problem.FactReason] != problem.ReasonExpired {
		t.Errorf("%+v", p)
	}
	if other := problem.New(problem.Unavailable, "x"); aboutToken(other, token) != error(other) {
		t.Error("an outage is told as a bad token")
	}
}

func TestTokenBody_CSP_12(t *testing.T) {
	text, err := json.Marshal(newTokenBody("jwt", 10*time.Second, []string{"a", "b"}))
	if want := `{"id_token":null,"token_type":"bearer","expires_in":60,"scope":"a b","access_token":"jwt","refresh_token":null}`; err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
}
