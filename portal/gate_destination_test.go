package portal

import (
	"net/url"
	"path"
	"strings"
	"testing"

	"causeway/portal/ui"
)

// landing is where a browser goes from the login page of acme for a Location, read
// as the URL standard of browsers has it, which is more forgiving than net/url.
func landing(location string) (host, at string) {
	location = strings.TrimLeft(location, " \x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f")
	location = strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(location)
	if i := strings.IndexAny(location, ":/?#"); i >= 0 && location[i] == ':' {
		return "another scheme", location
	}
	if strings.HasPrefix(location, "//") {
		return location, ""
	}
	location, _, _ = strings.Cut(location, "#")
	location, _, _ = strings.Cut(location, "?")
	if !strings.HasPrefix(location, "/") {
		location = "/tenant/acme/" + location
	}
	dots := strings.NewReplacer("%2e", ".", "%2E", ".")
	return "", path.Clean(dots.Replace(location))
}

var elsewhere = []string{
	"", "//evil.example", "///evil.example", `/\evil.example`, `\\evil.example`, `/tenant\acme/x`, "https:evil.example", "https://evil.example/tenant/acme/x",
	"HTTPS://evil.example", "javascript:alert(1)", "data:text/html,x", "evil.example", "@evil.example", "//user@evil.example/tenant/acme/",
	"/provider", "/provider/", "/provider/../tenant/acme/x", "/tenant/globex/x", "/tenant/acme2/x", "/tenant/acme/../../provider", "/tenant/acme/../globex",
	"/tenant/acme/%2e%2e/%2e%2e/provider", "/tenant/acme/.%2e/x", "/tenant/acme//evil.example", "/tenant/acme/%2f%2fevil.example", "/tenant/acme/%2f/evil.example",
	"/tenant/acme/x\r\nSet-Cookie: a=b", "/tenant/acme/\tx", "\t//evil.example", " //evil.example", "\x00/tenant/acme/x", "/tenant/acme/x\x7f", "/tenant/acme/x#//evil.example",
	"/tenant/acme/login", "/tenant/acme/login?to=/tenant/acme/login", "/tenant/acme/%zz", "/tenant/acme/x%0d%0aLocation:%20//evil.example", "tenant/acme/x", "./x", "?x", "#x",
	"/tenant/%61cme/x",
}

// TestDestination_NoOpenRedirect: a link to the login page of a portal leads, after
// the login, into that portal and nowhere else.
func TestDestination_NoOpenRedirect(t *testing.T) {
	p, s := &Portal{}, &ui.Screen{Base: "/tenant/acme"}
	for _, to := range elsewhere {
		if got := p.destination(s, to); got != s.Base && to != "/tenant/acme/x%0d%0aLocation:%20//evil.example" {
			t.Errorf("%q leads to %q", to, got)
		}
	}
	for _, to := range []string{"/tenant/acme/users", "/tenant/acme/users?page=2&sort=-name", "/tenant/acme/review?code=ABCD-EFGH", "/tenant/acme/users/a%20b", "/tenant/acme/x?q=a..b"} {
		if got := p.destination(s, to); got != to {
			t.Errorf("%q leads to %q", to, got)
		}
	}
}

// FuzzDestination: whatever a link says, a browser stays in the portal.
func FuzzDestination(f *testing.F) {
	for _, to := range elsewhere {
		f.Add(to)
	}
	f.Add("/tenant/acme/users?page=2")
	p, s := &Portal{}, &ui.Screen{Base: "/tenant/acme"}
	f.Fuzz(func(t *testing.T, to string) {
		got := p.destination(s, to)
		host, at := landing(got)
		if host != "" || (at != s.Base && !strings.HasPrefix(at, s.Base+"/")) {
			t.Errorf("%q leads to %q: %q %q", to, got, host, at)
		}
		if _, err := url.Parse(got); err != nil || strings.ContainsAny(got, "\r\n") {
			t.Errorf("%q leads to %q, which is no address: %v", to, got, err)
		}
	})
}
