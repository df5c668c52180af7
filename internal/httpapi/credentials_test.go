package httpapi

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/tenants"
)

func basic(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }

// What can be set must log in.
func TestBasicLogin_LongestNamesAndPassword(t *testing.T) {
	name, password := strings.Repeat("n", tenants.MaxName), strings.Repeat("p", tenants.MaxPassword)
	got, err := BasicLogin(&http.Request{Header: headers("Authorization", basic(name+"@"+name+":"+password))})
	if err != nil || got.User != name || got.Org != name || got.Password.Reveal() != password {
		t.Errorf("got %d bytes of a password, %v", len(got.Password.Reveal()), err)
	}
}

func TestBasicLogin(t *testing.T) {
	for _, tt := range []struct{ name, header, user, org, password string }{
		{"plain", basic("ada@acme:pw"), "ada", "acme", "pw"},
		{"a user with an @", basic("ada@example.com@acme:pw"), "ada@example.com", "acme", "pw"},
		{"a password with @ and :", basic("ada@acme:p@:w:"), "ada", "acme", "p@:w:"},
		{"blanks inside", basic("ada lovelace@acme labs:p w"), "ada lovelace", "acme labs", "p w"},
		{"the scheme in any case", "bASIC " + basic("ada@acme:pw")[6:], "ada", "acme", "pw"},
		{"other alphabets", basic("ädä@akme:pŵ"), "ädä", "akme", "pŵ"},
		{"a blank too many", "Basic  " + basic("ada@acme:pw")[6:], "ada", "acme", "pw"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := BasicLogin(&http.Request{Header: headers("Authorization", tt.header)})
			if err != nil || got.User != tt.user || got.Org != tt.org || got.Password.Reveal() != tt.password {
				t.Errorf("got %q %q %q, %v", got.User, got.Org, got.Password.Reveal(), err)
			}
		})
	}
}

func TestBasicLoginRefuses_R1(t *testing.T) {
	for name, header := range map[string]string{
		"no header":                "",
		"a bearer token":           "Bearer abc",
		"the scheme alone":         "Basic",
		"nothing encoded":          "Basic ",
		"no base64":                "Basic !!!!",
		"base64 cut off":           strings.TrimRight(basic("ada@acme:pw"), "="),
		"base64 for URLs":          "Basic " + base64.URLEncoding.EncodeToString([]byte("ada@acme:\xc3\xbf\xc3\xbf\xc3\xbe")),
		"no colon":                 basic("ada@acme"),
		"no @":                     basic("ada:pw"),
		"an @ in the password":     basic("ada:pw@acme"),
		"no user":                  basic("@acme:pw"),
		"no organization":          basic("ada@:pw"),
		"no password":              basic("ada@acme:"),
		"invalid UTF-8":            basic("ada@acme:\xff"),
		"a zero byte in the user":  basic("ada\x00@acme:pw"),
		"a zero byte in the org":   basic("ada@ac\x00me:pw"),
		"a line break in the user": basic("ada\r\nX: y@acme:pw"),
		"much too long":            basic("ada@acme:" + strings.Repeat("p", 2000)),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := BasicLogin(&http.Request{Header: headers("Authorization", header)})
			wantProblem(t, err, problem.Unauthenticated)
			if p := problem.From(err); p.Detail != "The login is not valid." {
				t.Errorf("the refusal tells what is wrong: %s", p.Detail)
			}
		})
	}
}

func FuzzBasicLogin(f *testing.F) {
	for _, s := range []string{"", "Basic", basic("a@b:c"), basic("a@b@c:d:e"), basic("@:"), basic("a@b:\xff"), "Basic YUBi", "basic  YUBiOmM="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		got, err := BasicLogin(&http.Request{Header: http.Header{"Authorization": {header}}})
		if err != nil {
			wantProblem(t, err, problem.Unauthenticated)
			return
		}
		name := got.User + "@" + got.Org
		if got.User == "" || got.Org == "" || got.Password == "" || strings.ContainsAny(got.Org, "@:") || strings.Contains(got.User, ":") ||
			!utf8.ValidString(name+got.Password.Reveal()) || strings.ContainsFunc(name, unicode.IsControl) {
			t.Fatalf("%q is read as user %q, organization %q", header, got.User, got.Org)
		}
		again, err := BasicLogin(&http.Request{Header: headers("Authorization", basic(name+":"+got.Password.Reveal()))})
		if err != nil || again != got {
			t.Fatalf("%q reads as %v and then as %v, %v", header, got, again, err)
		}
	})
}

func TestTokens(t *testing.T) {
	const a, b, c = "a.a.a", "b.b.b", "c.c.c"
	opaque := strings.Repeat("0f", 16)
	for _, tt := range []struct {
		name   string
		header http.Header
		want   []string
	}{
		{"none", nil, nil},
		{"bearer", headers("Authorization", "Bearer "+a), []string{a}},
		{"the scheme in any case", headers("Authorization", "bEARER "+a), []string{a}},
		{"another scheme", headers("Authorization", "Basic "+a), nil},
		{"a scheme alone", headers("Authorization", "Bearer"), nil},
		{"an empty token", headers("Authorization", "Bearer "), nil},
		{"the SDK's header", headers(HeaderAccessToken, a), []string{a}},
		{"the legacy header", headers(HeaderLegacyToken, a), []string{a}},
		{"precedence", headers(HeaderLegacyToken, c, HeaderAccessToken, b, "Authorization", "Bearer "+a), []string{a, b, c}},
		{"one token in all headers counts once", headers(HeaderLegacyToken, a, HeaderAccessToken, a, "Authorization", "Bearer "+a), []string{a}},
		{"one token twice in one header", headers(HeaderAccessToken, a, HeaderAccessToken, a), []string{a}},
		{"two tokens in one header", headers(HeaderAccessToken, a, HeaderAccessToken, b), []string{a, b}},
		{"an organization's name in the legacy header", headers(HeaderLegacyToken, "acme", "Authorization", "Bearer "+a), []string{a}},
		{"an organization's name alone", headers(HeaderLegacyToken, "acme"), nil},
		{"an opaque token", headers(HeaderLegacyToken, opaque), []string{opaque}},
		{"an opaque token with blanks around", headers(HeaderLegacyToken, " "+opaque+" "), []string{opaque}},
		{"an opaque token beside another", headers(HeaderLegacyToken, opaque, "Authorization", "Bearer "+a), []string{a, opaque}},
		{"many opaque tokens", headers(HeaderLegacyToken, opaque, HeaderLegacyToken, strings.Repeat("a", 32), HeaderLegacyToken, strings.Repeat("b", 32)), []string{opaque}},
		{"an opaque token as bearer", headers("Authorization", "Bearer "+opaque), nil},
		{"an opaque token in the SDK's header", headers(HeaderAccessToken, opaque), nil},
		{"an opaque token cut off", headers(HeaderLegacyToken, opaque[1:]), nil},
		{"an opaque token in upper case", headers(HeaderLegacyToken, strings.ToUpper(opaque)), nil},
		{"a UUID in the legacy header", headers(HeaderLegacyToken, "bc2528fd-35c4-44e5-a55d-62e5c4bd9c99"), nil},
		{"blanks around", headers(HeaderAccessToken, " "+a+" ", "Authorization", "Bearer  "+a), []string{a}},
		{"the type beside it is no token", headers(HeaderAccessToken, a, HeaderTokenType, "Bearer"), []string{a}},
	} {
		t.Run(tt.name+" VCD-8", func(t *testing.T) {
			if got := Tokens(&http.Request{Header: tt.header}); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzTokens(f *testing.F) {
	opaque := strings.Repeat("0f", 16)
	for _, s := range [][3]string{{"", "", ""}, {"Bearer a.b.c", "a.b.c", "acme"}, {"bearer " + opaque, opaque, opaque}, {"Bearer  x", " y ", " .. "}} {
		f.Add(s[0], s[1], s[2])
	}
	f.Fuzz(func(t *testing.T, bearer, access, legacy string) {
		found := Tokens(&http.Request{Header: http.Header{
			"Authorization": {bearer}, http.CanonicalHeaderKey(HeaderAccessToken): {access}, http.CanonicalHeaderKey(HeaderLegacyToken): {legacy},
		}})
		if len(found) > 3 {
			t.Fatalf("%d tokens in three headers", len(found))
		}
		for i, token := range found {
			if token == "" || token != strings.TrimSpace(token) || slices.Contains(found[:i], token) {
				t.Fatalf("%q among %q", token, found)
			}
			if secret.IsLegacyToken(token) && token != strings.TrimSpace(legacy) {
				t.Fatalf("an opaque token counts outside its header: %q", token)
			}
		}
	})
}
