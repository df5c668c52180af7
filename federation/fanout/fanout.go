package fanout

import (
	"context"
	"sync"
	"time"

	"causeway/internal/problem"
	"causeway/tenants"
)

const (
	// inAll bounds a whole request: what has not answered then is missing.
	inAll = 8 * time.Second
	// Width is how many locations one request asks at once, and ProviderWidth for
	// providers, who have the most.
	Width         = 16
	ProviderWidth = 64
	// maxDeep is how far into a sorted list a page can be that no cursor leads to:
	// all rows before it have to be read.
	maxDeep = 10_000
	// deepSize is the size of pages read on the way there: VCD's largest.
	deepSize = 128
)

// Request is one page of a list at many locations.
type Request struct {
	List       List
	Page, Size int    // as the client asks
	Sort       string // selector, or empty
	Desc       bool
	Cursor     string // as the client sends it; empty for none
	// For is what the list is besides its page: a cursor counts for nothing else.
	For string
	// Org is the organization that asks.
	Org tenants.OrgID
	// Locations are in their order: this site's first.
	Locations []Location
	Width     int
}

// Fanout reads lists at many locations.
type Fanout struct {
	Limits *Limits
	// MAC authenticates cursors, by a key that all cells of the site have.
	MAC func(text string) []byte
}

// Read makes the page. An error is a problem, or the context's where the client
// left: what the organization's own location refused as no request that anybody
// could answer, or everybody's failure. Anything less leaves locations out. Who
// gets a page closes it.
func (f *Fanout) Read(ctx context.Context, req Request) (Page, error) {
	if req.Sort != "" && req.Cursor == "" && req.Page > 1 && req.Page*req.Size > maxDeep {
		return Page{}, tooDeep()
	}
	if !f.Limits.room.has(req.Org) {
		f.Limits.turnedAway.Add(1)
		return Page{}, full()
	}
	r := &run{Request: req, limits: f.Limits, ask: req.Size, size: req.Size, hold: &Hold{limits: f.Limits, org: req.Org}}
	handed := false
	defer func() {
		if !handed { // also when a list panics
			r.hold.close()
		}
	}()
	for _, l := range req.Locations {
		s := &source{Location: l, run: r, total: -1}
		if l.Down != nil {
			s.lose(missing(l.LocationID, l.Down))
		}
		r.sources = append(r.sources, s)
	}
	limited, cancel := context.WithTimeout(ctx, inAll)
	defer cancel()
	if err := f.place(limited, r); err != nil {
		return Page{}, err
	}
	rows := r.rows(limited)
	if err := ctx.Err(); err != nil {
		return Page{}, err
	}
	if err := r.failed(); err != nil {
		return Page{}, err
	}
	handed = true
	return f.page(r, rows), nil
}

func tooDeep() error {
	return problem.New(problem.InvalidMultisiteArgs, "A sorted list at several locations is read page by page: follow the links called nextPage, or narrow the filter.")
}

// place finds where each location's part of the page begins.
func (f *Fanout) place(ctx context.Context, r *run) error {
	if r.Cursor != "" {
		return f.resume(r)
	}
	deep := r.Page > 1 && r.List.Paged()
	if deep && r.Sort != "" {
		r.ask = deepSize
	}
	if err := r.here(ctx); err != nil {
		return err
	}
	rest := r.unread()
	if !deep || r.Sort != "" || len(rest) == len(r.sources) {
		r.each(ctx, rest, func(ctx context.Context, s *source) { s.fill(ctx, 1) })
	} else {
		r.each(ctx, rest, func(ctx context.Context, s *source) { s.count(ctx) })
	}
	r.settle()
	if deep {
		r.pass(ctx, (r.Page-1)*r.size)
	}
	return nil
}

// here asks this site's own location first: a request that nobody can answer
// leaves the site no further.
func (r *run) here(ctx context.Context) error {
	for _, s := range r.sources {
		if s.Here {
			s.fill(ctx, 1)
			if refusesAll(s.err) {
				return s.err
			}
		}
	}
	return nil
}

// refusesAll says that a refusal is about the request, and not about the place.
func refusesAll(err error) bool {
	if err == nil {
		return false
	}
	switch missing(tenants.LocationID{}, err).Status {
	case 400, 401, 405, 406, 413, 429:
		return true
	}
	return false
}

// settle fixes the size of the page: what this site's own list cuts it to, or the
// smallest that a location shows.
func (r *run) settle() {
	for _, s := range r.sources {
		if s.size == 0 || s.gone != nil {
			continue
		}
		r.size = min(r.size, s.size)
		if s.Here {
			break
		}
	}
	if r.ask != deepSize {
		r.ask = r.size
	}
}

func (r *run) unread() (list []*source) {
	for _, s := range r.sources {
		if s.gone == nil && s.total < 0 {
			list = append(list, s)
		}
	}
	return list
}

// each runs f for each source, at most as many at once as the request may.
func (r *run) each(ctx context.Context, list []*source, f func(context.Context, *source)) {
	slots := make(chan struct{}, max(1, r.Width))
	var wg sync.WaitGroup
	for _, s := range list {
		slots <- struct{}{} // whoever is under way ends with ctx
		wg.Go(func() {
			defer func() { <-slots }()
			f(ctx, s)
		})
	}
	wg.Wait()
}

// failed is the error of a request that no location answered.
func (r *run) failed() error {
	var first error
	for _, s := range r.sources {
		if s.gone == nil {
			return nil
		}
		if s.err != nil && (first == nil || s.Here) {
			first = s.err
		}
	}
	if p := problem.As(first); p != nil {
		return p
	}
	return Incomplete(r.missing())
}

// Incomplete is the error of a page from which locations are missing, for
// clients that want all or nothing.
func Incomplete(list []Missing) error {
	code := problem.SiteUnreachable
	for _, m := range list {
		if m.Status == problem.GatewayTimeout.Row().Status {
			code = problem.GatewayTimeout
		}
	}
	named := ""
	for i, m := range list {
		if i == maxNamed {
			named += ", …"
			break
		}
		if i > 0 {
			named += ", "
		}
		named += m.Location.String() + " (" + m.Code + ")"
	}
	return problem.New(code, "The list is not complete; missing: %s.", named)
}

// maxNamed bounds a message.
const maxNamed = 20

func (r *run) missing() (list []Missing) {
	for _, s := range r.sources {
		if s.gone != nil {
			list = append(list, *s.gone)
		}
	}
	return list
}

func (f *Fanout) page(r *run, rows []Row) Page {
	p := Page{Rows: rows, Page: r.Page, Size: r.size, Missing: r.missing(), hold: r.hold}
	for _, s := range r.sources {
		p.Total += s.total
	}
	if !r.List.Paged() {
		p.Page, p.Size = 1, 0
		return p
	}
	for _, s := range r.sources {
		if s.offset < s.total {
			p.Cursor = f.cursor(r)
			break
		}
	}
	return p
}
