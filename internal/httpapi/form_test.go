package httpapi

import (
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"causeway/internal/problem"
)

const formType = "application/x-www-form-urlencoded"

func TestParseForm_R1(t *testing.T) {
	for _, tt := range []struct {
		name, contentType, target, body string
		want                            problem.Code // empty: accepted as client_id=1
	}{
		{"plain", formType, "/", "client_id=1", ""},
		{"with a charset", formType + "; charset=UTF-8", "/", "client_id=1", ""},
		{"in capitals", "APPLICATION/X-WWW-FORM-URLENCODED", "/", "client_id=1", ""},
		{"an empty query", formType, "/?", "client_id=1", ""},
		{"an empty value is absent", formType, "/", "client_id=1&scope=", ""},
		{"an empty value does not count twice", formType, "/", "client_id=&client_id=1", ""},
		{"an unknown parameter", formType, "/", "client_id=1", ""},
		{"a space is trimmed by nobody but decoded", formType, "/", "client_id=%31", ""},

		{"no content type", "", "/", "client_id=1", problem.InvalidRequest},
		{"JSON", "application/json", "/", `{"client_id":"1"}`, problem.InvalidRequest},
		{"multipart", "multipart/form-data; boundary=x", "/", "client_id=1", problem.InvalidRequest},
		{"a content type that only begins alike", formType + "x", "/", "client_id=1", problem.InvalidRequest},
		{"a broken content type", formType + "; charset", "/", "client_id=1", problem.InvalidRequest},
		{"a repeated parameter", formType, "/", "client_id=1&client_id=2", problem.InvalidRequest},
		{"a repeated parameter of one value", formType, "/", "client_id=1&client_id=1", problem.InvalidRequest},
		{"a repeated parameter, once encoded", formType, "/", "client_id=1&client%5Fid=2", problem.InvalidRequest},
		{"a parameter in the URL", formType, "/?client_id=1", "client_id=1", problem.InvalidRequest},
		{"another parameter in the URL", formType, "/?x", "client_id=1", problem.InvalidRequest},
		{"a bad percent sign", formType, "/", "client_id=1&a=%zz", problem.InvalidRequest},
		{"a bad percent sign in a key", formType, "/", "client_id=1&%zz=a", problem.InvalidRequest},
		{"invalid UTF-8", formType, "/", "client_id=1&a=%ff", problem.InvalidRequest},
		{"invalid UTF-8, not encoded", formType, "/", "client_id=1&a=\xff", problem.InvalidRequest},
		{"invalid UTF-8 in a key", formType, "/", "client_id=1&%ff=a", problem.InvalidRequest},
		{"too large", formType, "/", "client_id=1&a=" + strings.Repeat("x", maxForm), problem.BadRequest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			form, err := ParseForm(post(tt.contentType, tt.target, tt.body))
			if tt.want != "" {
				wantProblem(t, err, tt.want)
				return
			}
			if err != nil || form.Get("client_id") != "1" || len(form) != 1 {
				t.Errorf("got %v, %v", form, err)
			}
		})
	}
}

func TestParseFormBreaksOff(t *testing.T) {
	r := post(formType, "/", "")
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader("client_id=1"), failing{}))
	_, err := ParseForm(r)
	wantProblem(t, err, problem.BadRequest)
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

// A name is attacker's text; the log keeps every refusal.
func TestDecodeFormRepeatsLittle_R1(t *testing.T) {
	name := strings.Repeat("n", 20_000)
	_, err := DecodeForm(name + "=1&" + name + "=2")
	wantProblem(t, err, problem.InvalidRequest)
	if len(err.Error()) > 300 {
		t.Errorf("the answer and the log repeat %d bytes of what was sent", len(err.Error()))
	}
}

func FuzzDecodeForm(f *testing.F) {
	for _, s := range []string{"", "a=1", "a=1&a=2", "a=&b", "a=%zz", "a=%ff", "a=1;b=2", "+=+", "=x&=y", "client_id=+1", "a=%00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		form, err := DecodeForm(body)
		if err != nil {
			wantProblem(t, err, problem.InvalidRequest)
			return
		}
		for name, values := range form {
			if len(values) != 1 || values[0] == "" || !utf8.ValidString(name+values[0]) {
				t.Fatalf("%q is read as %q=%q", body, name, values)
			}
		}
		// What we accept, the standard reads alike, empty values apart; it gives
		// up at semicolons.
		if strings.Contains(body, ";") {
			return
		}
		standard, err := url.ParseQuery(body)
		if err != nil {
			t.Fatalf("%q: we accept what net/url refuses: %v", body, err)
		}
		for name, values := range standard {
			if last := strings.Join(values, ""); last != form.Get(name) {
				t.Fatalf("%q: %q is %q for us, %q for net/url", body, name, form.Get(name), values)
			}
		}
	})
}

type document struct {
	Name  string         `json:"name"`
	Count int            `json:"count"`
	Inner map[string]any `json:"inner"`
}

func TestParseJSON(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		want       problem.Code // empty: accepted with this name
	}{
		{"plain", `{"name":"a"}`, ""},
		{"unknown members are ignored", `{"id":"1","name":"a","more":{"x":[1]}}`, ""},
		{"white space around", " \r\n{\"name\":\"a\"}\n", ""},
		{"nothing", "", problem.BadRequest},
		{"no JSON", "client_name=a", problem.BadRequest},
		{"cut off", `{"name":"a"`, problem.BadRequest},
		{"something behind", `{"name":"a"}{}`, problem.BadRequest},
		{"a wrong type", `{"name":1}`, problem.BadRequest},
		{"a wrong number", `{"count":1.5}`, problem.BadRequest},
		{"a number too large", `{"count":1e99}`, problem.BadRequest},
		{"an array", `[{"name":"a"}]`, problem.BadRequest},
		{"a string", `"a"`, problem.BadRequest},
		{"invalid UTF-8", "{\"name\":\"\xff\"}", problem.BadRequest},
		{"a byte order mark", "\ufeff{\"name\":\"a\"}", problem.BadRequest},
		{"nested deeply", strings.Repeat("[", 30_000) + strings.Repeat("]", 30_000), problem.BadRequest},
		{"nested deeply and never closed", strings.Repeat("[", maxDocument), problem.BadRequest},
		{"1 MB", `{"name":"` + strings.Repeat("a", 1<<20) + `"}`, problem.BadRequest},
		{"one byte too long", strings.Repeat(" ", maxDocument-12) + `{"name":"a"} `, problem.BadRequest},
		{"as long as it may be", strings.Repeat(" ", maxDocument-12) + `{"name":"a"}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var d document
			err := ParseJSON(post("", "/", tt.body), &d)
			if tt.want != "" {
				wantProblem(t, err, tt.want)
				if tt.want == problem.BadRequest && len(problem.From(err).Detail) > 100 {
					t.Errorf("the detail is long: %s", problem.From(err).Detail)
				}
				return
			}
			if err != nil || d.Name != "a" {
				t.Errorf("got %+v, %v", d, err)
			}
		})
	}
}

// What is wrong is said so that somebody can repair it.
func TestParseJSONSaysWhat(t *testing.T) {
	for body, want := range map[string]string{
		`{"name":1}`: `The member "name" has the wrong type.`,
		`{"name":}`:  "The body is not valid JSON at byte 9.",
		`[]`:         "The body must be a JSON object.",
		``:           "The body is not valid JSON at byte 0.",
	} {
		err := ParseJSON(post("", "/", body), &document{})
		if got := problem.From(err).Detail; got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

// A misspelled member of a document of ours takes nothing away unnoticed; what a
// GET shows besides may come back.
func TestParseOwnJSON(t *testing.T) {
	type row struct {
		Burst int `json:"burst"`
	}
	type policy struct {
		Age  *int  `json:"age"`
		Rows []row `json:"rows"`
	}
	for body, want := range map[string]string{
		`{"age":1,"rows":[{"burst":2}],"effective":{"age":1,"x":{}}}`: "",
		`{}`:                         "",
		`{"ages":1}`:                 `There is no member "ages".`,
		`{"age":1,"org":null}`:       `There is no member "org".`,
		`{"rows":[{"bursts":2}]}`:    `There is no member "bursts".`,
		`{"rows":[{"effective":2}]}`: `There is no member "effective".`,
		`{"age":"1"}`:                `The member "age" has the wrong type.`,
		`null`:                       "The body must be a JSON object.",
	} {
		err := ParseOwnJSON(post("", "/", body), &policy{}, "effective")
		if want == "" && err != nil {
			t.Errorf("%s: %v", body, err)
		} else if want != "" && problem.From(err).Detail != want {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
}

func FuzzParseOwnJSON(f *testing.F) {
	for _, s := range []string{"{}", "null", `{"name":"a","seen":{}}`, `{"nam\ud800":1}`, `{"name":"a","name":"b","NAME":"c"}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var strict, lax document
		err := ParseOwnJSON(post("", "/", body), &strict, "seen")
		if p := problem.As(err); err != nil && (p == nil || p.Code != problem.BadRequest || !utf8.ValidString(p.Detail)) {
			t.Fatalf("%q: %v", body, err)
		}
		if err == nil && (ParseJSON(post("", "/", body), &lax) != nil || !reflect.DeepEqual(strict, lax)) {
			t.Fatalf("%q is %+v, or %+v", body, strict, lax)
		}
	})
}

// A body that never ends is read no further than its limit.
func TestBodyIsBounded_R9(t *testing.T) {
	endless := &counting{}
	r := httptest.NewRequest("POST", "/", endless)
	wantProblem(t, ParseJSON(r, &document{}), problem.BadRequest)
	if endless.read > 2*maxDocument {
		t.Errorf("%d bytes were read of an endless body", endless.read)
	}
}

type counting struct{ read int }

func (c *counting) Read(p []byte) (int, error) {
	c.read += len(p)
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{"", "{}", "null", `{"name":"a","count":1}`, `{"inner":{"inner":[]}}`, `{"name":"\ud800"}`, "[", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var d document
		if err := ParseJSON(post("", "/", body), &d); err != nil {
			if p := problem.From(err); p.Code != problem.BadRequest || !utf8.ValidString(p.Detail) {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		if !utf8.ValidString(d.Name) || !utf8.ValidString(fmt.Sprint(d.Inner)) {
			t.Fatalf("%q gave invalid UTF-8", body)
		}
	})
}
