package oauthhttp

import (
	"net/url"
	"strings"
	"testing"
)

// FuzzLastSegment: what a client is told of its issuer means what it asked about,
// in characters that a URL can hold.
func FuzzLastSegment(f *testing.F) {
	for _, s := range []string{"acme", "a%20b", "a%2Eb", "%C3%BC", "a//", "%", "ä", "\"<script>", "a%22"} {
		f.Add(s)
	}
	const prefix = wellKnown + "/oauth/tenant/"
	f.Fuzz(func(t *testing.T, sent string) {
		u, err := url.ParseRequestURI(prefix + sent)
		if err != nil {
			return // no server gets to see it
		}
		got := lastSegment(u)
		if strings.ContainsAny(got, "/\"<>\\ ") || strings.ContainsFunc(got, func(r rune) bool { return r < '!' || r > '~' }) {
			t.Errorf("%q is told as %q", sent, got)
		}
		name, err := url.PathUnescape(got)
		if path := strings.TrimRight(u.Path, "/"); err != nil || !strings.HasSuffix(path, name) {
			t.Errorf("%q is told as %q, which means %q", sent, got, name)
		}
	})
}
