package http1

import (
	"bufio"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// Unordered is a request whose headers stand in alphabetical order.
func Unordered(request string) string {
	head, body, _ := strings.Cut(request, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	slices.Sort(lines[1:])
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

// FuzzHead holds a request that is written here against the same by net/http: what
// differs would be read as another one (R9).
func FuzzHead(f *testing.F) {
	for _, seed := range [][7]string{
		{"GET", "upstream:80", "/a b", "x=1;y", "X-A", "1", ""},
		{"GET", "upstream", "/", "", "User-Agent", "", ""},
		{"DELETE", "[::1]:80", "*", "", "Host", "other", ""},
		{"GET", "[fe80::1%25eth0]:80", "/", "", "x-lower", " v ", ""},
		{"HEAD", "upstream", "/", "a\nb", "X-A", "1\r\nX-B: 2", ""},
		{"GET", "up stream", "//x", "%", "X A", "\t", ""},
		{"POST", "upstream", "", "", "Content-Length", "9", ""},
		{"PUT", "upstream", "", "", "Transfer-Encoding", "chunked", "a body"},
		{"DELETE", "upstream", "/", "", "Trailer", "X-A", "a body"},
		{"GET /x HTTP/1.1\r\nA:", "upstream", "/", "", "Expect", "100-continue", "x"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], seed[4], seed[5], seed[6])
	}
	f.Fuzz(func(t *testing.T, method, host, path, query, name, value, body string) {
		said := func(write func(*bufio.Writer, *http.Request) error) (string, error) {
			r := &http.Request{Method: method, URL: &url.URL{Scheme: "http", Host: host, Path: path, RawQuery: query}, Header: http.Header{
				name: {value, "and " + value}, "Accept": {"*/*"}, "X-Causeway-Org": {"o"},
			}}
			if r.ContentLength = int64(len(body)); body != "" {
				r.Body = io.NopCloser(strings.NewReader(body))
			}
			var out strings.Builder
			w := bufio.NewWriterSize(&out, 64)
			err := write(w, r)
			_ = w.Flush()
			return Unordered(out.String()), err
		}
		ours, err := said(write)
		theirs, want := said(func(w *bufio.Writer, r *http.Request) error { return r.Write(w) })
		if ours != theirs || (err == nil) != (want == nil) {
			t.Errorf("ours\n%q %v\ntheirs\n%q %v", ours, err, theirs, want)
		}
	})
}

// A body that is not as long as its head says fails, and is not the next request's.
func TestWrite_R9_BodiesHaveTheirLength(t *testing.T) {
	for name, body := range map[string]string{"shorter": "ab", "longer": "abcd"} {
		r, err := http.NewRequest(http.MethodPost, "http://upstream/", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = 3
		var out strings.Builder
		w := bufio.NewWriter(&out)
		err = write(w, r)
		_ = w.Flush()
		if err == nil || strings.HasSuffix(out.String(), "abcd") {
			t.Errorf("%s: %v %q", name, err, out.String())
		}
	}
}

// The requests that most clients send are written here.
func TestHead_OfMostRequests(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		r, err := http.NewRequest(method, "http://upstream:8080/api/v2/source?cursor=a%20b&limit=1", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"User-Agent": {"telegraf/1.30"}, "Accept": {"application/json"}, "Accept-Encoding": {"gzip, deflate"}, "X-Causeway-Org-Name": {"Straße GmbH"}}
		if !writeHead(bufio.NewWriter(&strings.Builder{}), r) {
			t.Errorf("%s is left to net/http", method)
		}
	}
}
