package httpapi_test

import (
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
)

func TestParseFormOrJSON_R1(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, target, media, body string
		want                      url.Values // nil: refused
	}{
		{"a form", "/", "application/x-www-form-urlencoded", "a=1&b=x%20y", url.Values{"a": {"1"}, "b": {"x y"}}},
		{"JSON", "/", "application/json; charset=utf-8", `{"a":1,"b":"x y","c":true,"d":null,"e":{"f":1},"g":[2],"h":""}`, url.Values{"a": {"1"}, "b": {"x y"}, "c": {"true"}}},
		{"nothing", "/", "application/json", `{}`, url.Values{}},
		{"twice", "/", "application/json", `{"a":"1","a":"2"}`, nil},
		{"twice, once null", "/", "application/json", `{"a":null,"a":"2"}`, nil},
		{"in the URL", "/?a=1", "application/json", `{}`, nil},
		{"a list", "/", "application/json", `[]`, nil},
		{"more behind", "/", "application/json", `{} {}`, nil},
		{"no UTF-8", "/", "application/json", "{\"a\":\"\xff\"}", nil},
		{"no content type", "/", "", `{}`, nil},
	} {
		r := httptest.NewRequest("POST", tt.target, strings.NewReader(tt.body))
		r.Header.Set("Content-Type", tt.media)
		got, err := httpapi.ParseFormOrJSON(r)
		if tt.want == nil && !problem.Has(err, problem.InvalidRequest) || tt.want != nil && (err != nil || !reflect.DeepEqual(got, tt.want)) {
			t.Errorf("%s: %v, %v", tt.name, got, err)
		}
	}
}

// Whatever comes is a refusal or parameters with one value each, none empty.
func FuzzDecodeJSONForm(f *testing.F) {
	for _, seed := range []string{`{"grant_type":"client_credentials"}`, `{"a":1,"a":2}`, `{"a":{"b":[1]}}`, `null`, `{`, "\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		values, err := httpapi.DecodeJSONForm(body)
		if err != nil {
			if !problem.Has(err, problem.InvalidRequest) {
				t.Fatal(err)
			}
			return
		}
		for name, list := range values {
			if len(list) != 1 || list[0] == "" {
				t.Fatalf("%q is %q", name, list)
			}
		}
	})
}
