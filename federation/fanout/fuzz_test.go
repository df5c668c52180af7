package fanout_test

import (
	"context"
	"testing"

	"causeway/federation/fanout"
	"causeway/internal/problem"
)

// FuzzCursor: whatever a client sends, and even under a MAC that everything has,
// a page is a page.
func FuzzCursor(f *testing.F) {
	w := newWorld(3, func(i int) []string { return numbered(i, 7) })
	r := w.request(1, 5)
	f.Add(w.read(f, r).Cursor, 2)
	f.Add("AgU.", 2)
	f.Add(".", 1)
	w.fanout.MAC = func(string) []byte { return nil }
	f.Fuzz(func(t *testing.T, cursor string, page int) {
		if page < 1 || page > 1<<20 {
			return
		}
		r := w.request(page, 5)
		r.Cursor = cursor
		p, err := w.fanout.Read(context.Background(), r)
		if err != nil {
			if !problem.Has(err, problem.InvalidMultisiteArgs) && len(cursor) == 0 {
				t.Fatal(err)
			}
			return
		}
		if len(p.Rows) > p.Size || p.Total < 0 {
			t.Fatalf("the page is %+v", p)
		}
	})
}

// FuzzJSONKey: rows are anybody's words.
func FuzzJSONKey(f *testing.F) {
	f.Add([]byte(`{"owner":{"name":"x"},"n":[{"id":1}],"yes":true}`), "owner.name")
	f.Add([]byte(`[[]]`), "a..b")
	f.Fuzz(func(t *testing.T, object []byte, selector string) {
		k := fanout.JSONKey(object, selector)
		if k.Compare(k) != 0 {
			t.Fatalf("%v differs from itself", k)
		}
	})
}

func TestJSONKey(t *testing.T) {
	row := []byte(`{"name":"b","owner":{"name":"c"},"n":10,"m":9,"yes":true,"no":false,"none":null,"refs":[{"id":"x"},{"id":"a"}],"empty":[]}`)
	key := func(selector string) fanout.Key { return fanout.JSONKey(row, selector) }
	for _, tt := range []struct{ less, more string }{
		{"name", "owner.name"}, {"m", "n"}, {"no", "yes"}, {"none", "no"}, {"missing", "name"}, {"empty.id", "refs.id"}, {"owner.name", "refs.id"}, {"yes", "m"}, {"n", "name"},
	} {
		if key(tt.less).Compare(key(tt.more)) >= 0 || key(tt.more).Compare(key(tt.less)) <= 0 {
			t.Errorf("%s is not before %s", tt.less, tt.more)
		}
	}
	if key("refs.id") != fanout.TextKey("x") || key("none") != key("missing") || key("") != (fanout.Key{}) {
		t.Error("the first element, null and nothing are read differently")
	}
}
