package fanout_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"causeway/federation/fanout"
	"causeway/tenants"
)

// place is a location of a test: its rows in the order in which it shows them,
// and how it behaves.
type place struct {
	id    tenants.LocationID
	rows  []string
	most  int // size that it cuts pages to
	here  bool
	down  bool
	fails func(asked int) error // for the nth question, from 1
	lies  func(a *answer)
	asked atomic.Int64
}

// answer is what places say.
type answer struct {
	Total, Page, Size int
	Rows              []string
}

func (p *place) ask(_ context.Context, page, size int, _ *fanout.Hold) ([]byte, error) {
	n := p.asked.Add(1)
	if p.fails != nil {
		if err := p.fails(int(n)); err != nil {
			return nil, err
		}
	}
	size = min(size, p.most)
	from := min((page-1)*size, len(p.rows))
	a := answer{Total: len(p.rows), Page: page, Size: size, Rows: p.rows[from:min(from+size, len(p.rows))]}
	if p.lies != nil {
		p.lies(&a)
	}
	return json.Marshal(a)
}

// list reads what places say; a row's key is what stands before its dash.
type list struct{ whole bool }

func (l list) Paged() bool { return !l.whole }

func (l list) Decode(body []byte, sort string) (fanout.Answer, error) {
	var a answer
	if json.Unmarshal(body, &a) != nil {
		return fanout.Answer{}, fanout.Unreadable()
	}
	f := fanout.Answer{Total: a.Total, Page: a.Page, Size: a.Size}
	for _, r := range a.Rows {
		row := fanout.Row{Raw: []byte(r)}
		if sort != "" {
			row.Key = fanout.TextKey(r[:1])
		}
		f.Rows = append(f.Rows, row)
	}
	return f, nil
}

// world is some places.
type world struct {
	fanout fanout.Fanout
	places []*place
}

func newWorld(n int, rows func(i int) []string) *world {
	w := &world{fanout: fanout.Fanout{Limits: fanout.NewLimits(), MAC: func(text string) []byte { return fmt.Appendf(nil, "%x", len(text)) }}}
	for i := range n {
		w.places = append(w.places, &place{id: location(i), rows: rows(i), most: 128, here: i == 0})
	}
	return w
}

func location(i int) tenants.LocationID {
	return tenants.LocationID{Org: tenants.OrgID(fmt.Sprintf("00000000-0000-4000-8000-%012d", i)), Site: tenants.SiteID(fmt.Sprintf("00000000-0000-4000-9000-%012d", i))}
}

func (w *world) request(page, size int) fanout.Request {
	r := fanout.Request{List: list{}, Page: page, Size: size, For: "the list", Width: 3}
	for i, p := range w.places {
		l := fanout.Location{LocationID: p.id, Here: p.here, Ask: p.ask}
		if i > 0 {
			l.Peer = p.id.Site
		}
		if p.down {
			l.Down = &fanout.Missing{Status: 503, Code: "SITE_UNREACHABLE"}
		}
		r.Locations = append(r.Locations, l)
	}
	return r
}

func (w *world) read(t testing.TB, r fanout.Request) fanout.Page {
	t.Helper()
	p, err := w.fanout.Read(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func texts(rows []fanout.Row) (all []string) {
	for _, r := range rows {
		all = append(all, string(r.Raw))
	}
	return all
}

func numbered(i, n int) (rows []string) {
	for k := range n {
		rows = append(rows, fmt.Sprintf("%d-%d", i, k))
	}
	return rows
}

// keyed are n rows with random keys in order.
func keyed(rnd *rand.Rand, i, n int, desc bool) (rows []string) {
	for k := range n {
		rows = append(rows, fmt.Sprintf("%c-%d-%d", 'a'+rnd.IntN(6), i, k))
	}
	slices.SortStableFunc(rows, func(a, b string) int {
		if desc {
			a, b = b, a
		}
		return int(a[0]) - int(b[0])
	})
	return rows
}

// all is what the pages of a list should be together.
func (w *world) all(sorted, desc bool) (rows []string) {
	for _, p := range w.places {
		if !p.down {
			rows = append(rows, p.rows...)
		}
	}
	if sorted {
		slices.SortStableFunc(rows, func(a, b string) int {
			if desc {
				a, b = b, a
			}
			return int(a[0]) - int(b[0])
		})
	}
	return rows
}

// busy counts how many ask it at once.
type busy struct{ now, most atomic.Int64 }

func (b *busy) ask(_ context.Context, page, size int, _ *fanout.Hold) ([]byte, error) {
	n := b.now.Add(1)
	defer b.now.Add(-1)
	for m := b.most.Load(); n > m && !b.most.CompareAndSwap(m, n); m = b.most.Load() {
	}
	time.Sleep(10 * time.Millisecond) // of fake time
	return json.Marshal(answer{Page: page, Size: size})
}
