package wire

import (
	"net/http"
	"strings"
	"testing"

	"causeway/internal/sitetest"
)

// A runner that never complains would be worth nothing.
func TestRunner(t *testing.T) {
	const text = `# Comment.
# also through a peer

== first VCD-1
POST /a/$x?b
Content-Type: text/plain
X-Two: 1
X-Two: 2

one \
    two
three
--
200
X-Id: <uuid>
X-Gone:

{"id":"<uuid>", \
  "n":"$x"}
--
$id = .id
$nested = .list.0.name
$header = X-Id
$part = /"n":"(\w+)"/

== second
GET /b
--
204
`
	s, err := parse("test", text)
	if err != nil || !s.peer || len(s.steps) != 2 {
		t.Fatalf("%+v, %v", s, err)
	}
	st := s.steps[0]
	if st.title != "first VCD-1" || st.line != 4 || st.method != "POST" || st.path != "/a/$x?b" || st.body != "one two\nthree" || len(st.header) != 3 || len(st.captures) != 4 {
		t.Fatalf("%+v", st)
	}
	if second := s.steps[1]; second.wantBody != nil || second.status != 204 || second.body != "" {
		t.Fatalf("%+v", second)
	}

	const id = "00000000-0000-4000-8000-000000000000"
	good := func() sitetest.Answer {
		return sitetest.Answer{Status: 200, Header: http.Header{requestIDHeader: {"r"}, "X-Id": {id}},
			Body: []byte(`{"id":"` + id + `", "n":"v"}` + "\n")}
	}
	st.captures = st.captures[:1]
	check := func(a sitetest.Answer) error { return (&world{}).check(st, a, variables{"x": "v"}, variables{}) }
	if err := check(good()); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*sitetest.Answer){
		"another status":    func(a *sitetest.Answer) { a.Status = 201 },
		"a missing header":  func(a *sitetest.Answer) { a.Header.Del("X-Id") },
		"another header":    func(a *sitetest.Answer) { a.Header.Set("X-Id", "1"+id) },
		"a header twice":    func(a *sitetest.Answer) { a.Header.Add("X-Id", id) },
		"a header too many": func(a *sitetest.Answer) { a.Header.Set("X-Gone", "") },
		"no request id":     func(a *sitetest.Answer) { a.Header.Del(requestIDHeader) },
		"two request ids":   func(a *sitetest.Answer) { a.Header.Add(requestIDHeader, "s") },
		"a blank more":      func(a *sitetest.Answer) { a.Body = append([]byte(" "), a.Body...) },
		"something behind":  func(a *sitetest.Answer) { a.Body = append(a.Body, "x"...) },
		"an upper-case UUID": func(a *sitetest.Answer) {
			a.Body = []byte(strings.ReplaceAll(string(a.Body), id, strings.ToUpper("a"+id[1:])))
		},
		"another value":        func(a *sitetest.Answer) { a.Body = []byte(strings.ReplaceAll(string(a.Body), `"v"`, `"w"`)) },
		"nothing":              func(a *sitetest.Answer) { a.Body = nil },
		"a capture that fails": func(a *sitetest.Answer) { st.captures[0].from = ".none" },
	} {
		a := good()
		if spoil(&a); check(a) == nil {
			t.Errorf("%s goes unnoticed", name)
		}
		st.captures[0].from = ".id"
	}

	for name, from := range map[string]string{"v": ".list.0.name", "h": "X-Id", "w": `/"(w)"/`} {
		got, err := take(from, http.Header{"X-Id": {"h"}}, []byte(`{"list":[{"name":"v"}],"x":"w"}`))
		if err != nil || got != name {
			t.Errorf("%s takes %q, %v", from, got, err)
		}
	}
	if _, err := (variables{}).expand("$none"); err == nil {
		t.Error("an unknown variable goes unnoticed")
	}
	if got, err := (variables{"a": "1"}).expand("$a$$a"); err != nil || got != "1$a" {
		t.Error(got, err)
	}

	other := good()
	for name, spoil := range map[string]func(*sitetest.Answer){
		"status": func(a *sitetest.Answer) { a.Status = 403 },
		"body":   func(a *sitetest.Answer) { a.Body[3]++ },
		"header": func(a *sitetest.Answer) { a.Header.Set("X-New", "1") },
		"value":  func(a *sitetest.Answer) { a.Header.Set("X-Id", "2") },
	} {
		a := good()
		if spoil(&a); same(a, other) == nil || same(other, a) == nil {
			t.Errorf("another %s through the peer goes unnoticed", name)
		}
	}
	a := good()
	a.Header.Set(requestIDHeader, "another")
	if err := same(a, other); err != nil {
		t.Error(err)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":               "# nothing\n",
		"text in front":         "hello\n== a\nGET /\n--\n200\n",
		"no answer":             "== a\nGET /\n",
		"no path":               "== a\nGET\n--\n200\n",
		"no status":             "== a\nGET /\n--\nOK\n",
		"a header that is none": "== a\nGET /\nhello\n--\n200\n",
		"a capture of nothing":  "== a\nGET /\n--\n200\n--\nx = .y\n",
		"too many sections":     "== a\nGET /\n--\n200\n--\n--\n",
	} {
		if _, err := parse("test", text); err == nil {
			t.Errorf("%s goes unnoticed", name)
		}
	}
}
