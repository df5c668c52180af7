package fanout

import (
	"context"
	"errors"
	"time"
)

const (
	// perAnswer is how long one location may take for one page.
	perAnswer = 5 * time.Second
	// maxReads bounds the pages asked of one location for one page of ours: as many
	// as the furthest page of a sorted list needs, and not what a location that
	// shows single rows would like.
	maxReads = 100
)

// source is one location in the course of a request. Rows are those from offset
// on that have been read and not yet used.
type source struct {
	Location
	run    *run
	offset int
	total  int // -1 while it is not known
	size   int // of the location's pages; 0 while it is not known
	rows   []Row
	reads  int
	gone   *Missing
	err    error // why, in this request
}

// end is where the rows that have been read end.
func (s *source) end() int { return s.offset + len(s.rows) }

// open reports whether there is more to read.
func (s *source) open() bool { return s.gone == nil && (s.total < 0 || s.end() < s.total) }

// lose gives the location up: what has been read of it stays, and is all there is.
func (s *source) lose(m *Missing) {
	s.gone, s.total = m, s.end()
}

// fail gives the location up for an error of its own. When the client has left,
// nothing is said about the location.
func (s *source) fail(ctx context.Context, err error) {
	if ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
		err = context.Canceled
	}
	s.err = err
	s.lose(missing(s.LocationID, err))
}

// fill reads until want rows are there, or all.
func (s *source) fill(ctx context.Context, want int) {
	for s.open() && (s.total < 0 || len(s.rows) < want) {
		if s.reads++; s.reads > maxReads {
			s.fail(ctx, Unreadable())
			return
		}
		s.read(ctx)
	}
}

// read asks for the page on which the next unread row is.
func (s *source) read(ctx context.Context) {
	size := s.size
	if size == 0 {
		size = s.run.ask
	}
	page := s.end()/size + 1
	a, err := s.ask(ctx, page, size)
	switch {
	case err != nil:
		s.fail(ctx, err)
	case !s.run.List.Paged():
		s.rows, s.total, s.size = a.Rows, len(a.Rows), max(1, len(a.Rows))
	case !a.fits(page, size):
		s.fail(ctx, Unreadable())
	case a.Size < size && page > 1: // cut, and the page is another one then
		s.size = a.Size
	default:
		s.take(a)
	}
}

// take keeps the rows of a page from where the last ones ended. A page that is
// not full is the last, whatever the total says; one that goes beyond the total
// makes it larger.
func (s *source) take(a Answer) {
	s.size = a.Size
	first := (a.Page - 1) * a.Size
	last := first + len(a.Rows)
	skip := min(s.end()-first, len(a.Rows))
	s.rows = append(s.rows, a.Rows[skip:]...)
	s.total = max(a.Total, s.end())
	if len(a.Rows) < a.Size {
		s.total = max(last, s.end())
	}
}

func (a Answer) fits(page, size int) bool {
	return a.Page == page && a.Size >= 1 && a.Size <= size && len(a.Rows) <= a.Size && a.Total >= 0 && a.Total <= maxTotal
}

// count asks for no more than how many rows there are.
func (s *source) count(ctx context.Context) {
	a, err := s.ask(ctx, 1, 1)
	switch {
	case err != nil:
		s.fail(ctx, err)
	case !a.fits(1, 1) || len(a.Rows) < min(1, a.Total):
		s.fail(ctx, Unreadable())
	default:
		s.total = max(a.Total, len(a.Rows))
	}
}

func (s *source) ask(ctx context.Context, page, size int) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, perAnswer)
	defer cancel()
	leave, err := s.run.limits.enter(ctx, s.Peer)
	if err != nil {
		s.run.limits.count(ctx, err)
		return Answer{}, err
	}
	defer leave()
	a, err := s.answer(ctx, page, size)
	s.run.limits.count(ctx, err)
	return a, err
}

func (s *source) answer(ctx context.Context, page, size int) (Answer, error) {
	body, err := s.Ask(ctx, page, size, s.run.hold)
	if err != nil {
		return Answer{}, err
	}
	if len(body) > MaxAnswer {
		return Answer{}, Unreadable()
	}
	return s.run.List.Decode(body, s.run.Sort)
}

// skip passes over n rows, or all.
func (s *source) skip(n int) int {
	n = min(n, s.total-s.offset)
	if n >= len(s.rows) {
		s.rows = nil
	} else {
		s.rows = s.rows[n:]
	}
	s.offset += n
	return n
}

// next takes a row that is there.
func (s *source) next() Row {
	row := s.rows[0]
	s.rows = s.rows[1:]
	s.offset++
	return row
}

// run is one request in its course.
type run struct {
	Request
	limits  *Limits
	sources []*source
	ask     int // rows to ask a location for
	size    int // of the page
	hold    *Hold
}
