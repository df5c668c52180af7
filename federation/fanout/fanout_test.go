package fanout_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"causeway/federation/fanout"
	"causeway/internal/problem"
)

// TestPages_EachRowOnce: whatever the totals, sizes and absent locations, the
// pages together are the list, by links and by numbers that clients make up.
func TestPages_EachRowOnce(t *testing.T) {
	for seed := range uint64(150) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		sorted, desc, forged := rnd.IntN(2) == 0, rnd.IntN(2) == 0, rnd.IntN(2) == 0
		desc = desc && sorted
		w := newWorld(1+rnd.IntN(6), func(i int) []string {
			n := rnd.IntN(30) * rnd.IntN(2)
			if sorted {
				return keyed(rnd, i, n, desc)
			}
			return numbered(i, n)
		})
		for i, p := range w.places {
			p.most = 1 + rnd.IntN(12)
			if forged { // by its numbers alone a client cannot follow cuts that come and go
				p.most = w.places[0].most
			}
			p.down = i > 0 && rnd.IntN(4) == 0
		}
		want := w.all(sorted, desc)
		got, pages := w.walk(t, 1+rnd.IntN(10), sorted, desc, forged, len(want))
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d, sorted %v, forged %v:\n got %v\nwant %v", seed, sorted, forged, got, want)
		}
		if pages == 0 {
			t.Fatalf("seed %d: no page", seed)
		}
	}
}

// walk reads a list as SDKs do, and checks that each page's numbers agree.
func (w *world) walk(t *testing.T, size int, sorted, desc, forged bool, total int) (rows []string, pages int) {
	t.Helper()
	r := w.request(1, size)
	if sorted {
		r.Sort, r.Desc = "key", desc
	}
	for {
		for _, p := range w.places {
			p.asked.Store(0)
		}
		p := w.read(t, r)
		pages++
		rows = append(rows, texts(p.Rows)...)
		if p.Page != r.Page || p.Total != total || len(p.Rows) > p.Size || (p.Page < p.Pages() && len(p.Rows) != p.Size) {
			t.Fatalf("page %d of %d is %+v; the list has %d rows", p.Page, p.Pages(), p, total)
		}
		if (p.Cursor != "") != (p.Page < p.Pages()) {
			t.Fatalf("page %d of %d has cursor %q", p.Page, p.Pages(), p.Cursor)
		}
		if p.Page >= p.Pages() {
			return rows, pages
		}
		r.Page, r.Size = p.Page+1, p.Size
		if !forged {
			r.Cursor = p.Cursor
		}
	}
}

// TestPages_LostOnTheWay: a location that stops answering shows no row twice, and
// the others show all of theirs.
func TestPages_LostOnTheWay(t *testing.T) {
	for seed := range uint64(100) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		sorted := rnd.IntN(2) == 0
		w := newWorld(2+rnd.IntN(4), func(i int) []string {
			if sorted {
				return keyed(rnd, i, rnd.IntN(40), false)
			}
			return numbered(i, rnd.IntN(40))
		})
		lost := w.places[1+rnd.IntN(len(w.places)-1)]
		until := rnd.IntN(5)
		answers := 0
		lost.fails = func(int) error {
			if answers++; answers > until {
				return problem.New(problem.SiteUnreachable, "gone")
			}
			return nil
		}
		r := w.request(1, 1+rnd.IntN(9))
		if sorted {
			r.Sort = "key"
		}
		seen := map[string]int{}
		for {
			p := w.read(t, r)
			for _, row := range texts(p.Rows) {
				seen[row]++
			}
			if p.Cursor == "" {
				break
			}
			r.Page, r.Cursor = p.Page+1, p.Cursor
		}
		for _, at := range w.places {
			for _, row := range at.rows {
				if seen[row] > 1 || (seen[row] == 0 && at != lost) {
					t.Fatalf("seed %d: %s is there %d times", seed, row, seen[row])
				}
			}
		}
	}
}

func TestMissing(t *testing.T) {
	w := newWorld(5, func(i int) []string { return numbered(i, 2) })
	w.places[1].fails = func(int) error { return context.DeadlineExceeded }
	w.places[2].fails = func(int) error { return &fanout.Missing{Status: 403, Code: "ACCESS_TO_RESOURCE_IS_FORBIDDEN"} }
	w.places[3].down = true
	p := w.read(t, w.request(1, 25))
	want := []fanout.Missing{
		{Location: location(1), Status: 504, Code: "GATEWAY_TIMEOUT"},
		{Location: location(2), Status: 403, Code: "ACCESS_TO_RESOURCE_IS_FORBIDDEN"},
		{Location: location(3), Status: 503, Code: "SITE_UNREACHABLE"},
	}
	for i := range p.Missing {
		p.Missing[i].Err = nil
	}
	if !slices.Equal(p.Missing, want) || p.Total != 4 || !slices.Equal(texts(p.Rows), []string{"0-0", "0-1", "4-0", "4-1"}) {
		t.Errorf("the page is %+v", p)
	}
	if w.places[3].asked.Load() != 0 {
		t.Error("a location that is known to be away was asked")
	}
}

// TestWhatHereRefuses: a request that is wrong goes no further, and one that is
// not allowed here may be elsewhere.
func TestWhatHereRefuses(t *testing.T) {
	w := newWorld(2, func(i int) []string { return numbered(i, 2) })
	wrong := problem.New(problem.BadRequest, "no such filter")
	w.places[0].fails = func(int) error { return wrong }
	if _, err := w.fanout.Read(context.Background(), w.request(1, 25)); !errors.Is(err, wrong) || w.places[1].asked.Load() != 0 {
		t.Errorf("%v, and %d questions elsewhere", err, w.places[1].asked.Load())
	}
	denied := problem.New(problem.Forbidden, "not here")
	w.places[0].fails = func(int) error { return denied }
	if p := w.read(t, w.request(1, 25)); p.Total != 2 || len(p.Missing) != 1 {
		t.Errorf("the page is %+v", p)
	}
	w.places[1].down = true
	if _, err := w.fanout.Read(context.Background(), w.request(1, 25)); !errors.Is(err, denied) {
		t.Errorf("nobody answered, and the error is %v", err)
	}
}

// TestHostile: what a location claims harms nothing but its own rows.
func TestHostile(t *testing.T) {
	for name, lies := range map[string]func(*answer){
		"more rows than a page":   func(a *answer) { a.Rows = numbered(9, 1000) },
		"a negative total":        func(a *answer) { a.Total = -1 },
		"an endless total":        func(a *answer) { a.Total = 1 << 40 },
		"a size of nothing":       func(a *answer) { a.Size, a.Rows = 0, nil },
		"a larger size":           func(a *answer) { a.Size++ },
		"another page":            func(a *answer) { a.Page++ },
		"a total without rows":    func(a *answer) { a.Total, a.Rows = 1000, nil },
		"a total that is smaller": func(a *answer) { a.Total = 1 },
		"single rows, for ever":   func(a *answer) { a.Size, a.Rows, a.Total = 1, []string{"z-again"}, 1<<29 },
	} {
		for _, sort := range []string{"", "key"} {
			for page := 1; page <= 3; page++ {
				w := newWorld(3, func(i int) []string { return numbered(i, 7) })
				w.places[1].lies = lies
				r := w.request(page, 5)
				r.Sort = sort
				p := w.read(t, r)
				if n := w.places[1].asked.Load(); n > 110 {
					t.Errorf("%s: asked %d times", name, n)
				}
				if len(p.Rows) > p.Size || p.Total < 14 {
					t.Errorf("%s: page %d is %+v", name, page, p)
				}
			}
		}
	}
	// Its own rows are all that a liar loses or repeats.
	w := newWorld(3, func(i int) []string { return numbered(i, 7) })
	w.places[1].lies = func(a *answer) { a.Total, a.Rows = 1000, nil }
	if rows, _ := w.walkAny(t, 5); !slices.Equal(rows, append(numbered(0, 7), numbered(2, 7)...)) {
		t.Errorf("the rows are %v", rows)
	}
}

func (w *world) walkAny(t *testing.T, size int) (rows []string, pages int) {
	t.Helper()
	r := w.request(1, size)
	for pages = 1; ; pages++ {
		p := w.read(t, r)
		rows = append(rows, texts(p.Rows)...)
		if p.Cursor == "" {
			return rows, pages
		}
		r.Page, r.Cursor = p.Page+1, p.Cursor
	}
}

// anything reads whatever comes as one row.
type anything struct{}

func (anything) Paged() bool { return true }

func (anything) Decode([]byte, string) (fanout.Answer, error) {
	return fanout.Answer{Total: 1, Page: 1, Size: 25, Rows: []fanout.Row{{}}}, nil
}

func TestTooLarge(t *testing.T) {
	large := make([]byte, fanout.MaxAnswer+1)
	for _, tt := range []struct{ places, size, missing int }{
		{2, len(large), 1},
		{12, len(large) - 1, 4}, // each may be as large, and all together may not
	} {
		w := newWorld(tt.places, func(i int) []string { return numbered(i, 1) })
		r := w.request(1, 25)
		r.List, r.Width = anything{}, 1
		for i := range r.Locations[1:] {
			r.Locations[i+1].Ask = says(large[:tt.size])
		}
		if tt.places > 2 {
			r.Locations[0].Ask = r.Locations[1].Ask
		}
		p := w.read(t, r)
		p.Close()
		if held := w.fanout.Limits.Stats().Held; held != 0 {
			t.Errorf("%d bytes are held for a page that has been written", held)
		}
		if len(p.Missing) != tt.missing || p.Missing[0].Code != "BAD_GATEWAY" || p.Total != tt.places-tt.missing {
			t.Errorf("%d bytes of %d: missing %v of %d", tt.size, tt.places, p.Missing, p.Total)
		}
	}
}

func TestWhole(t *testing.T) {
	w := newWorld(3, func(i int) []string { return numbered(i, 200) })
	for _, p := range w.places {
		p.most = 1 << 20
	}
	r := w.request(1, 25)
	r.List = list{whole: true}
	for _, p := range w.places {
		p.lies = func(a *answer) { a.Rows = p.rows }
	}
	p := w.read(t, r)
	if len(p.Rows) != 600 || p.Total != 600 || p.Cursor != "" || p.Pages() != 1 {
		t.Errorf("%d rows of %d", len(p.Rows), p.Total)
	}
}

func TestCursor_IsOurs(t *testing.T) {
	w := newWorld(2, func(i int) []string { return numbered(i, 7) })
	r := w.request(1, 5)
	r.Page, r.Cursor = 2, w.read(t, r).Cursor
	w.read(t, r)
	for name, change := range map[string]func(*fanout.Request){
		"another list":   func(r *fanout.Request) { r.For = "another list" },
		"another page":   func(r *fanout.Request) { r.Page = 3 },
		"another text":   func(r *fanout.Request) { r.Cursor = "B" + r.Cursor[1:] + "A" },
		"no MAC":         func(r *fanout.Request) { r.Cursor, _, _ = strings.Cut(r.Cursor, ".") },
		"nothing":        func(r *fanout.Request) { r.Cursor = "." },
		"much too long":  func(r *fanout.Request) { r.Cursor = strings.Repeat("A", 1<<20) },
		"no base64":      func(r *fanout.Request) { r.Cursor = "ä.ä" },
		"a shorter text": func(r *fanout.Request) { r.Cursor = r.Cursor[3:] },
	} {
		changed := r
		change(&changed)
		if _, err := w.fanout.Read(context.Background(), changed); !problem.Has(err, problem.InvalidMultisiteArgs) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCursor_ForgetsNobody: who is associated since the first page does not join
// in the middle, and who is no more is not asked.
func TestCursor_OtherLocations(t *testing.T) {
	w := newWorld(3, func(i int) []string { return numbered(i, 7) })
	two := w.places[:2]
	three := w.places
	w.places = two
	r := w.request(1, 5)
	first := w.read(t, r)
	w.places = three
	r = w.request(2, 5)
	r.Cursor = first.Cursor
	if p := w.read(t, r); p.Total != 14 || three[2].asked.Load() != 0 {
		t.Errorf("with one more the page is %+v", p)
	}
	w.places = three[:1]
	r = w.request(2, 5)
	r.Cursor = first.Cursor
	if p := w.read(t, r); p.Total != 7 || len(p.Rows) != 2 {
		t.Errorf("with one less the page is %+v", p)
	}
}

// TestCursor_TooManyLocations: then links have numbers only, and those work.
func TestCursor_TooManyLocations(t *testing.T) {
	w := newWorld(400, func(i int) []string { return numbered(i, 1) })
	for page := 1; page <= 4; page++ {
		p := w.read(t, w.request(page, 100))
		if p.Cursor != "" || len(p.Rows) != 100 || p.Total != 400 || string(p.Rows[0].Raw) != fmt.Sprintf("%d-0", (page-1)*100) {
			t.Fatalf("page %d begins with %s and has the cursor %q", page, p.Rows[0].Raw, p.Cursor)
		}
	}
}

func TestSorted_TooDeep(t *testing.T) {
	w := newWorld(2, func(i int) []string { return numbered(i, 3) })
	r := w.request(101, 100)
	r.Sort = "key"
	if _, err := w.fanout.Read(context.Background(), r); !problem.Has(err, problem.InvalidMultisiteArgs) {
		t.Errorf("page 101 is %v", err)
	}
	r.Page = 100
	w.read(t, r)
	r = w.request(101, 100)
	w.read(t, r) // unsorted, rows need not be read to be counted
}

// TestTimes_I8: a location that is slow is given up after its time, and the rest
// is there; the whole has an end, too.
func TestTimes_I8(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(8, func(i int) []string { return numbered(i, 1) })
		r := w.request(1, 25)
		for i := range r.Locations {
			if i == 3 {
				r.Locations[i].Ask = func(ctx context.Context, _, _ int, _ *fanout.Hold) ([]byte, error) {
					<-ctx.Done()
					return nil, ctx.Err()
				}
			}
		}
		start := time.Now()
		p := w.read(t, r)
		if took := time.Since(start); took != 5*time.Second || len(p.Missing) != 1 || p.Missing[0].Status != 504 || p.Total != 7 {
			t.Errorf("after %v: %+v", took, p)
		}
		for i := range r.Locations[1:] {
			r.Locations[i+1].Ask = func(ctx context.Context, _, _ int, _ *fanout.Hold) ([]byte, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}
		}
		start = time.Now()
		p = w.read(t, r)
		if took := time.Since(start); took != 8*time.Second || len(p.Missing) != 7 || p.Total != 1 {
			t.Errorf("after %v: %+v", took, p)
		}
	})
}

// TestClientLeft: nobody is asked any more, and nothing is said of locations.
func TestClientLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(40, func(i int) []string { return numbered(i, 1) })
		r := w.request(1, 25)
		ctx, cancel := context.WithCancel(context.Background())
		for i := range r.Locations[1:] {
			r.Locations[i+1].Ask = func(ctx context.Context, _, _ int, _ *fanout.Hold) ([]byte, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}
		}
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		_, err := w.fanout.Read(ctx, r)
		if !errors.Is(err, context.Canceled) || time.Since(start) != time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

// TestLimits: no more at once than the request, the peer and the cell allow.
func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		name                   string
		requests, width, peers int
		want                   int64
	}{
		{"one request", 1, 16, 400, 16},
		{"one peer", 8, 64, 1, 32},
		{"the cell", 8, 64, 400, 256},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(1, func(i int) []string { return numbered(i, 1) })
			b := &busy{}
			done := make(chan struct{})
			for range tt.requests {
				r := w.request(1, 25)
				r.Width = tt.width
				for i := 1; i < 100; i++ {
					l := location(i)
					r.Locations = append(r.Locations, fanout.Location{LocationID: l, Peer: location(i % tt.peers).Site, Ask: b.ask})
				}
				go func() {
					_, _ = w.fanout.Read(context.Background(), r)
					done <- struct{}{}
				}()
			}
			for range tt.requests {
				<-done
			}
			if got := b.most.Load(); got != tt.want {
				t.Errorf("%s: %d at once, want %d", tt.name, got, tt.want)
			}
		})
	}
}
