package fanout_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"

	"causeway/federation/fanout"
	"causeway/internal/problem"
	"causeway/tenants"
)

// says answers with a body as gateways read it.
func says(body []byte) func(context.Context, int, int, *fanout.Hold) ([]byte, error) {
	return func(_ context.Context, _, _ int, h *fanout.Hold) ([]byte, error) {
		return io.ReadAll(h.Reader(bytes.NewReader(body)))
	}
}

// long is a request of an organization to places that answer with so many bytes.
func (w *world) long(org string, bytes int) fanout.Request {
	r := w.request(1, 25)
	r.List, r.Org, r.Width = anything{}, tenants.OrgID(org), 1 // one after the other fills it exactly
	for i := range r.Locations {
		r.Locations[i].Ask = says(make([]byte, bytes))
	}
	return r
}

// TestRoom_I8: what all lists of a cell hold has an end, and one organization's
// share of it a nearer one. Who finds no room is told to come again, and may when
// a page has been written.
func TestRoom_I8(t *testing.T) {
	w := newWorld(8, func(int) []string { return nil })
	var pages []fanout.Page
	for i := range 3 {
		pages = append(pages, w.read(t, w.long(fmt.Sprint("org ", i), fanout.MaxAnswer)))
	}
	if _, err := w.fanout.Read(context.Background(), w.long("org 0", 1)); !turnedAway(err) {
		t.Errorf("an organization that holds its share: %v", err)
	}
	part := w.read(t, w.long("org 3", fanout.MaxAnswer/2))
	rest := w.read(t, w.long("org 3", fanout.MaxAnswer))
	if len(part.Missing) != 0 || len(rest.Missing) != 4 || rest.Missing[0].Status != 503 || !turnedAway(rest.Missing[0].Err) {
		t.Errorf("in the rest of its share: %+v, %+v", part, rest)
	}
	if _, err := w.fanout.Read(context.Background(), w.long("org 4", 1)); !turnedAway(err) {
		t.Errorf("a cell that holds all it may: %v", err)
	}
	pages[1].Close()
	pages[1].Close() // gives nothing back twice
	pages = append(pages, part, rest, w.read(t, w.long("org 4", 1)))
	want := fanout.Stats{Answered: 24 + 8 + 4 + 8, Full: 4, TurnedAway: 2, Held: 192<<20 + 8}
	got := w.fanout.Limits.Stats()
	if got.Bytes < 256<<20 {
		t.Errorf("%d bytes have been read", got.Bytes)
	}
	if got.Bytes = 0; got != want {
		t.Errorf("it has come to %+v, want %+v", got, want)
	}
	for _, p := range pages {
		p.Close()
	}
	if held := w.fanout.Limits.Stats().Held; held != 0 {
		t.Errorf("%d bytes are held for nobody", held)
	}
}

func turnedAway(err error) bool {
	p := problem.As(err)
	return p != nil && p.Code == problem.Unavailable && p.RetryAfter > 0
}

// TestRoom_AFailureHoldsNothing: what was read of a list that is refused in the
// end, or whose client left, is given back.
func TestRoom_AFailureHoldsNothing(t *testing.T) {
	w := newWorld(2, func(int) []string { return nil })
	r := w.long("org", 1000)
	read := r.Locations[0].Ask
	wrong := problem.New(problem.BadRequest, "no such filter")
	r.Locations[0].Ask = func(ctx context.Context, page, size int, h *fanout.Hold) ([]byte, error) {
		if _, err := read(ctx, page, size, h); err != nil {
			t.Error(err)
		}
		return nil, wrong
	}
	if _, err := w.fanout.Read(context.Background(), r); !errors.Is(err, wrong) {
		t.Error(err)
	}
	r = w.long("org", 1000)
	ctx, cancel := context.WithCancel(context.Background())
	r.Locations[1].Ask = func(ctx context.Context, page, size int, h *fanout.Hold) ([]byte, error) {
		cancel()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if _, err := w.fanout.Read(ctx, r); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if got := w.fanout.Limits.Stats(); got != (fanout.Stats{Answered: 1, Refused: 1, Bytes: 2000}) {
		t.Errorf("it has come to %+v", got)
	}
}

// TestStats: each question counts once, for what came of it.
func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(5, func(i int) []string { return numbered(i, 1) })
		w.places[1].fails = func(int) error { return problem.New(problem.SiteUnreachable, "gone") }
		w.places[2].lies = func(a *answer) { a.Total = -1 }
		w.places[3].fails = func(int) error { return fanout.Unreadable() }
		r := w.request(1, 25)
		r.Locations[4].Ask = func(ctx context.Context, _, _ int, _ *fanout.Hold) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		p, err := w.fanout.Read(context.Background(), r)
		if err != nil || len(p.Missing) != 4 {
			t.Errorf("%+v, %v", p, err)
		}
		p.Close()
		want := fanout.Stats{Answered: 2, Refused: 1, Unreadable: 1, Late: 1}
		if got := w.fanout.Limits.Stats(); got != want {
			t.Errorf("it has come to %+v, want %+v", got, want)
		}
	})
}
