package services_test

import (
	"net/url"
	"strings"
	"testing"

	"causeway/internal/problem"
	"causeway/services"
)

func TestCanonicalPath_R9(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{ // in as on the request line; an empty want is a refusal
		{"the root", "/", "/"},
		{"plain", "/a/b.c", "/a/b.c"},
		{"a slash at the end stays", "/a/", "/a/"},
		{"repeated slashes", "//a///b", "/a/b"},
		{"repeated slashes at the end", "/a//", "/a/"},
		{"slashes alone", "///", "/"},
		{"needless encoding", "/%61/b", "/a/b"},
		{"space", "/a%20b", "/a b"},
		{"question mark", "/a%3Fb", "/a?b"},
		{"percent", "/100%25", "/100%"},
		{"what looks encoded", "/a%252fb", "/a%2fb"},
		{"not ASCII", "/k%C3%B6ln", "/köln"},
		{"names with dots", "/a/.b/..c/d../...", "/a/.b/..c/d../..."},
		{"parameters of a segment, which servers drop", "/a;v=1/b", ""},
		{"dot", "/a/./b", ""},
		{"dot at the end", "/a/.", ""},
		{"dots", "/a/../b", ""},
		{"dots at the end", "/a/..", ""},
		{"dots at the start", "/../a", ""},
		{"encoded dots", "/a/%2e%2E/b", ""},
		{"half encoded dots", "/a/.%2e/b", ""},
		{"an encoded dot", "/a/%2e", ""},
		{"dots with a parameter", "/a/..;/b", ""},
		{"encoded dots with a parameter", "/a/%2e%2e%3bx=1/b", ""},
		{"a dot with a parameter", "/a/.;x/b", ""},
		{"an encoded slash", "/a%2fb", ""},
		{"an encoded slash, upper case", "/a%2Fb", ""},
		{"a backslash", `/a\b`, ""},
		{"an encoded backslash", "/a%5cb", ""},
		{"dots between backslashes", `/a\..\b`, ""},
		{"NUL", "/a%00", ""},
		{"a line break", "/a%0d%0aX-Causeway-Org:%20b", ""},
		{"delete", "/a%7f", ""},
		{"no path", "*", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u, err := url.ParseRequestURI(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			got, err := services.CanonicalPath(u)
			if got != tt.want {
				t.Errorf("%s is %q, want %q", tt.in, got, tt.want)
			}
			if tt.want == "" && !problem.Has(err, problem.BadRequest) || tt.want != "" && err != nil {
				t.Errorf("got %v", err)
			}
		})
	}
}

// FuzzCanonicalPath: what is authorized is what arrives. A canonical path is
// canonical still when it was forwarded, and holds nothing that servers read in
// different ways.
func FuzzCanonicalPath(f *testing.F) {
	for _, s := range []string{"/", "/a/b", "//a//", "/a/../b", "/%2e%2e/b", "/a%2fb", "/a%252fb", `/a\b`, "/a/..;/b", "/%ff", "/a?b", "*", "/a%", "/%c3%bc"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return
		}
		got, err := services.CanonicalPath(u)
		if err != nil {
			if got != "" || !problem.Has(err, problem.BadRequest) {
				t.Errorf("%q is refused by %v with %q", target, err, got)
			}
			return
		}
		if got == "" || got[0] != '/' || strings.Contains(got, "//") || strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) {
			t.Errorf("%q became %q", target, got)
		}
		for segment := range strings.SplitSeq(got, "/") {
			if name, _, _ := strings.Cut(segment, ";"); name == "." || name == ".." {
				t.Errorf("%q became %q, which climbs", target, got)
			}
		}
		sent := (&url.URL{Path: got}).EscapedPath()
		arrived, err := url.ParseRequestURI(sent)
		if err != nil {
			t.Fatalf("%q is sent as %q: %v", got, sent, err)
		}
		if again, err := services.CanonicalPath(arrived); err != nil || again != got {
			t.Errorf("%q is canonical, and again %q, %v", got, again, err)
		}
	})
}
