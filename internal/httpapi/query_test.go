package httpapi

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"causeway/internal/problem"
)

func TestParseQuery(t *testing.T) {
	for _, tt := range []struct {
		name, raw string
		want      url.Values
	}{
		{"nothing", "", url.Values{}},
		{"semicolons stay", "filter=orgName==a;name==b;org==c", url.Values{"filter": {"orgName==a;name==b;org==c"}}},
		{"semicolons stay beside other pairs", "a=1;2&b=3", url.Values{"a": {"1;2"}, "b": {"3"}}},
		{"a leading & and doubled ones", "&type=adminOrgVdc&&filter=x&", url.Values{"type": {"adminOrgVdc"}, "filter": {"x"}}},
		{"the first = separates", "filter=id==urn:vcloud:role:1", url.Values{"filter": {"id==urn:vcloud:role:1"}}},
		{"decoded once", "filter=org%3D%3Dhttps%253A%252F%252Fh", url.Values{"filter": {"org==https%3A%2F%2Fh"}}},
		{"encoded semicolons", "filter=a%3D%3D1%3Bb%3D%3D2", url.Values{"filter": {"a==1;b==2"}}},
		{"plus is a blank", "filter=name==My+Role&a=%2B", url.Values{"filter": {"name==My Role"}, "a": {"+"}}},
		{"without a value", "links", url.Values{"links": {""}}},
		{"twice", "a=1&a=2", url.Values{"a": {"1", "2"}}},
		{"an encoded key", "%66ilter=x", url.Values{"filter": {"x"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseQuery(tt.raw)
			if err != nil || !maps.EqualFunc(got, tt.want, slices.Equal) {
				t.Errorf("ParseQuery(%q) = %v, %v, want %v", tt.raw, got, err, tt.want)
			}
		})
	}
}

func TestParseQueryRefuses_R9(t *testing.T) {
	for name, raw := range map[string]string{
		"a percent sign alone in a value": "filter=100%",
		"a percent sign alone in a key":   "100%=1",
		"no hexadecimal digits":           "a=%zz",
		"too long":                        "a=" + strings.Repeat("x", maxQuery),
		"a long broken key":               strings.Repeat("k", 4000) + "=%zz",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseQuery(raw)
			wantProblem(t, err, problem.BadRequest)
			if len(err.Error()) > 300 {
				t.Errorf("the answer and the log repeat %d bytes of what was sent", len(err.Error()))
			}
		})
	}
}

func FuzzParseQuery(f *testing.F) {
	for _, s := range []string{
		"", "&a=1", "a=1;b=2", "filter=a==b;c==d", "a=%41", "a=%", "%=1", "a=b=c", "=", "=x", "a+b=c+d", "a=1&a=2", "a=%00%ff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := ParseQuery(raw)
		if err != nil {
			wantProblem(t, err, problem.BadRequest)
		}
		if strings.Contains(raw, ";") || len(raw) > maxQuery {
			return
		}
		want, wantErr := url.ParseQuery(raw)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: we say %v, net/url says %v", raw, err, wantErr)
		}
		if err == nil && !maps.EqualFunc(got, want, slices.Equal) {
			t.Fatalf("%q: we read %v, net/url %v", raw, got, want)
		}
	})
}
