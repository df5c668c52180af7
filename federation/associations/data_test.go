package associations

import (
	"strings"
	"testing"

	"causeway/internal/problem"
)

// An address that a peer is reached at is HTTPS to a host and nothing else (R9).
func TestEndpoint_R9(t *testing.T) {
	for text, want := range map[string]string{
		"https://a.example/api":       "https://a.example/api",
		"https://a.example:8443/api/": "https://a.example:8443/api",
		"https://[2001:db8::1]/api":   "https://[2001:db8::1]/api",
		"http://a.example/api":        "",
		"https:///api":                "",
		"https://u:p@a.example/api":   "",
		"https://a.example/api?x":     "",
		"https://a.example/api#x":     "",
		"https://a.example/api?":      "",
		"file:///etc/passwd":          "",
		"//a.example/api":             "",
		"https:a.example":             "",
		"":                            "",
		"https://a.example/" + strings.Repeat("x", maxEndpoint): "",
	} {
		got, err := endpoint("RestEndpoint", text)
		if got != want || (err != nil) != (want == "") || err != nil && !problem.Has(err, problem.BadRequest) {
			t.Errorf("%.60q: %q, %v", text, got, err)
		}
	}
}

// What is accepted stays as it is when it is read again, and nothing else gets in.
func FuzzSiteDataNormal(f *testing.F) {
	f.Add("https://a.example/api", "https://a.example", "a", "", "")
	f.Add("https://a.example:1/api/", "", "", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----", "-----BEGIN PUBLIC KEY-----")
	f.Fuzz(func(t *testing.T, rest, ui, name, certificate, key string) {
		d, err := SiteData{Site: "x", Name: name, RestEndpoint: rest, BaseUIEndpoint: ui, Certificate: certificate, PublicKey: key}.normal()
		if err != nil {
			if !problem.Has(err, problem.BadRequest) {
				t.Fatal(err)
			}
			return
		}
		if !strings.HasPrefix(d.RestEndpoint, "https://") || !strings.HasPrefix(d.BaseUIEndpoint, "https://") {
			t.Errorf("%+v", d)
		}
		if again, err := d.normal(); err != nil || again != d {
			t.Errorf("%+v became %+v, %v", d, again, err)
		}
	})
}
