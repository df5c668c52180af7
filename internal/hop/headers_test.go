package hop

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// What a client says about itself, and what proves it to us, goes no further, in
// whatever spelling a server behind us would read it.
func TestStripRequest_R8_R12(t *testing.T) {
	gone := []string{
		"Authorization", "Proxy-Authorization", "Cookie", "Dpop", "Csp-Auth-Token",
		"X-Vcloud-Authorization", "X-Vmware-Vcloud-Access-Token", "X-Vmware-Vcloud-Token-Type",
		"X-Vmware-Vcloud-Auth-Context", "X-Vmware-Vcloud-Tenant-Context",
		"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Client-Cert", "X-Forwarded",
		"X-Real-Ip", "X-Client-Ip", "True-Client-Ip", "X-Original-Url", "X-Rewrite-Url", "X-Host", "Remote-User", "X-Remote-User",
		"X-Http-Method-Override", "X-Http-Method", "X-Method-Override", "X-Client-Cert", "X-Ssl-Client-Verify", "Via",
		"X-Causeway-Principal", "X-Causeway-Org", "X-Causeway-Assertion", "X-Causeway-Anything-New",
	}
	kept := []string{
		"Accept", "Accept-Encoding", "Content-Type", "User-Agent", "If-Match", "Range", "Traceparent", "X-Request-Id",
		"X-Vmware-Vcloud-Client-Request-Id", "X-Causewayish", "Xx-Forwarded-For",
	}
	h := http.Header{}
	for _, name := range slices.Concat(gone, kept) {
		for _, spelling := range []string{name, strings.ToUpper(name), strings.ToLower(name), strings.ReplaceAll(name, "-", "_"), strings.Replace(name, "-", "_", 1)} {
			h[spelling] = []string{"x", "y"}
		}
	}
	StripRequest(h)
	for name := range h {
		folded := strings.ReplaceAll(strings.ToLower(name), "_", "-")
		if slices.ContainsFunc(gone, func(g string) bool { return strings.ToLower(g) == folded }) {
			t.Errorf("%s stays", name)
		}
	}
	for _, name := range kept {
		if len(h[name]) != 2 {
			t.Errorf("%s is gone", name)
		}
	}
}

// What stands behind us sets neither tokens nor policies in our name.
func TestStripResponse_R9(t *testing.T) {
	gone := []string{
		"Set-Cookie", "Set-Cookie2", "Authorization", "X-Vmware-Vcloud-Access-Token", "X-Vmware-Vcloud-Token-Type", "X-Vcloud-Authorization",
		"Strict-Transport-Security", "Alt-Svc", "Clear-Site-Data", "Service-Worker-Allowed", "Refresh", "Proxy-Authenticate",
		"Authentication-Info", "Report-To", "Nel", "Via", "Server", "X-Causeway-Served-By",
	}
	kept := []string{"Content-Type", "Content-Length", "Etag", "Link", "Cache-Control", "Retry-After", "Www-Authenticate", "X-Vmware-Vcloud-Request-Id"}
	h := http.Header{}
	for _, name := range slices.Concat(gone, kept) {
		h[name], h[strings.ReplaceAll(name, "-", "_")] = []string{"x"}, []string{"x"}
	}
	StripResponse(&http.Response{StatusCode: 200, Header: h}, "west.example")
	for _, name := range gone {
		if h[name] != nil || h[strings.ReplaceAll(name, "-", "_")] != nil {
			t.Errorf("%s stays", name)
		}
	}
	for _, name := range kept {
		if h[name] == nil {
			t.Errorf("%s is gone", name)
		}
	}
}

// A client may follow a redirect with its credentials, so it stays on the host
// that the client asked. A Location that is no redirect only names something.
func TestStripResponseRedirects_R9(t *testing.T) {
	for location, stays := range map[string]bool{
		"/sample/1":                          true,
		"sample/1":                           true,
		"?page=2":                            true,
		"https://west.example/sample/1":      true,
		"https://WEST.example/sample/1":      true,
		"":                                   false,
		"https://east.example/sample/1":      false,
		"https://west.example.evil/":         false,
		"https://west.example:8443/":         false,
		"https://west.example@evil.example/": false,
		"https://user@west.example/":         false,
		"http://west.example/":               false,
		"//evil.example/":                    false,
		"/\\evil.example/":                   false,
		"\\\\evil.example/":                  false,
		"https:evil.example":                 false,
		"javascript:alert(1)":                false,
		"data:text/html,x":                   false,
		"/a\tb":                              false,
		" //evil.example":                    false,
		"https://west.example/%zz":           false,
	} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			h := http.Header{"Location": {location}}
			StripResponse(&http.Response{StatusCode: status, Header: h}, "west.example")
			if got := h.Get("Location") != ""; got != stays {
				t.Errorf("%d to %q: kept %t, want %t", status, location, got, stays)
			}
		}
		h := http.Header{"Location": {location}}
		StripResponse(&http.Response{StatusCode: 201, Header: h}, "west.example")
		if h.Get("Location") != location {
			t.Errorf("a 201 lost its Location %q", location)
		}
	}
}

// What frames a message is net/http's to judge: spelled so that it does not, it goes no
// further.
func TestStrip_R9_FramingIsNotMisspelled(t *testing.T) {
	for _, name := range []string{
		"Transfer-Encoding", "Content-Length", "Proxy-Connection", "Keep-Alive", "Connection", "Te", "Trailer", "Upgrade", "Host", "Expect",
	} {
		for _, as := range []string{strings.ReplaceAll(name, "-", "_"), strings.ToUpper(name), strings.ToLower(name)} {
			h := http.Header{name: {"x"}}
			h[as] = []string{"x"}
			StripRequest(h)
			if len(h) != 1 || h[name] == nil {
				t.Errorf("of a request %s beside %s leaves %v", as, name, h)
			}
			h[as] = []string{"x"}
			StripResponse(&http.Response{StatusCode: 200, Header: h}, "west.example")
			if len(h) != 1 || h[name] == nil {
				t.Errorf("of an answer %s beside %s leaves %v", as, name, h)
			}
			h[as] = []string{"x"}
			if StripTrailer(h); len(h) > 0 {
				t.Errorf("of trailers %v is left", h)
			}
		}
	}
}

func FuzzStripRequest(f *testing.F) {
	for _, s := range []string{"X-Forwarded-For", "x_causeway_org", "AUTHORIZATION", "Accept", "", "X-Causeway", "\u017fet-Cookie", "\u212a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		h := http.Header{name: {"x"}, "Accept": {"y"}}
		StripRequest(h)
		if h.Get("Accept") == "" && name != "Accept" {
			t.Fatalf("%q took another header with it", name)
		}
		again := maps.Clone(h)
		StripRequest(again)
		if len(again) != len(h) {
			t.Fatalf("%q: a second pass removes more", name)
		}
		for left := range h {
			n := strings.ReplaceAll(strings.ToLower(left), "_", "-")
			if strings.HasPrefix(n, "x-causeway-") || strings.HasPrefix(n, "x-forwarded") || n == "authorization" || n == "cookie" {
				t.Fatalf("%q stays", left)
			}
		}
	})
}
