package browsertest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

// serve serves one page, and what is sent to it as it came.
func serve(t *testing.T, page string) string {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/missing.js":
			http.NotFound(w, r)
		case r.Method == http.MethodPost:
			fmt.Fprintf(w, "<pre>%q</pre>", r.PostFormValue("word"))
		default:
			w.Header().Set("Content-Security-Policy", "script-src 'self' data:; style-src 'self'")
			fmt.Fprint(w, "<!doctype html><title>page</title>"+page)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

const form = `<form method="post">
<label for="w">Word or words <em>(optional)</em></label><input id="w" name="word" type="password" value="old">
<label for="t">Text</label><textarea id="t" name="text"></textarea>
<label>Kind <select name="kind"><option value="1">One</option><option value="2">Two</option></select></label>
<label><input type="checkbox" name="yes"> Yes</label>
<button hidden>Send</button><button>Send</button></form>`

// TestPerson fills a form, also where scripts do not run, with what no keyboard has.
func TestPerson(t *testing.T) {
	url := serve(t, form)
	const word = `it's "a" \ b` + "`" + `$(x) <é😀> %s`
	for _, look := range []Look{{}, {NoScript: true}} {
		tab := Open(t, look)
		tab.Go(url)
		tab.Fill("Word", word)
		tab.Fill("Text", "two\nlines")
		tab.Choose("Kind", "Two")
		tab.Tick("Yes")
		if tab.Value("Text") != "two\nlines" || tab.Value("Kind") != "2" || !tab.Ticked("Yes") {
			t.Errorf("%+v: the form holds %q, %q, %v", look, tab.Value("Text"), tab.Value("Kind"), tab.Ticked("Yes"))
		}
		tab.Fill("Text", "")
		if got := tab.Value("Text"); got != "" {
			t.Errorf("an emptied field holds %q", got)
		}
		tab.Press("Send")
		tab.Sees(fmt.Sprintf("%q", word))
	}
}

// TestTabWatches breaks a page in each way that a tab watches for.
func TestTabWatches(t *testing.T) {
	for name, tt := range map[string]struct{ page, fault string }{
		"console":    {`<script src="data:,console.error('oh')"></script>`, "oh"},
		"exception":  {`<script src="data:,thisIsNot.defined"></script>`, "thisIsNot"},
		"policy":     {`<p style="color:red">`, "style-src"},
		"other host": {`<img src="https://127.0.0.1:1/x.png">`, "asked another host: https://127.0.0.1:1"},
		"missing":    {`<script src="/missing.js"></script>`, "answers 404"},
	} {
		t.Run(name, func(t *testing.T) {
			tab := Open(t, Look{})
			tab.Go(serve(t, tt.page))
			tab.Sees("") // what came before the answer has been heard
			tab.mu.Lock()
			defer tab.mu.Unlock()
			if got := strings.Join(tab.wrong, "\n"); !strings.Contains(got, tt.fault) {
				t.Errorf("the tab noticed %q", got)
			}
			tab.wrong = nil
		})
	}
}
