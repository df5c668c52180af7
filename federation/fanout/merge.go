package fanout

import "context"

// rows are the rows of the page.
func (r *run) rows(ctx context.Context) []Row {
	if !r.List.Paged() {
		return r.whole()
	}
	if r.Sort == "" {
		return r.joined(ctx)
	}
	var rows []Row
	for len(rows) < r.size {
		s := r.least(ctx)
		if s == nil {
			break
		}
		rows = append(rows, s.next())
	}
	return rows
}

func (r *run) whole() (rows []Row) {
	for _, s := range r.sources {
		for len(s.rows) > 0 {
			rows = append(rows, s.next())
		}
	}
	return rows
}

// pass passes over the n rows before the page.
func (r *run) pass(ctx context.Context, n int) {
	if r.Sort == "" {
		for _, s := range r.sources {
			n -= s.skip(n)
		}
		return
	}
	for ; n > 0; n-- {
		s := r.least(ctx)
		if s == nil {
			return
		}
		s.next()
	}
}

// joined takes the rows of one location after the other. It reads first what the
// totals say is needed; where a location has less than it said, it reads on.
func (r *run) joined(ctx context.Context) (rows []Row) {
	for {
		wave := r.needed()
		if len(wave) == 0 {
			break
		}
		r.each(ctx, wave, func(ctx context.Context, s *source) { s.fill(ctx, r.size) })
	}
	for _, s := range r.sources {
		for len(s.rows) > 0 && len(rows) < r.size {
			rows = append(rows, s.next())
		}
	}
	return rows
}

func (r *run) needed() (wave []*source) {
	left := r.size
	for _, s := range r.sources {
		take := min(left, s.total-s.offset)
		if take > len(s.rows) && s.open() {
			wave = append(wave, s)
		}
		left -= take
	}
	return wave
}

// least is the source whose row comes next, or nil when there is none. Rows that
// compare the same are in the order of their locations.
func (r *run) least(ctx context.Context) (least *source) {
	var empty []*source
	for _, s := range r.sources {
		if len(s.rows) == 0 && s.open() {
			empty = append(empty, s)
		}
	}
	if len(empty) > 0 {
		r.each(ctx, empty, func(ctx context.Context, s *source) { s.fill(ctx, 1) })
	}
	for _, s := range r.sources {
		if len(s.rows) > 0 && (least == nil || r.before(s.rows[0], least.rows[0])) {
			least = s
		}
	}
	return least
}

func (r *run) before(a, b Row) bool {
	if r.Desc {
		return a.Key.Compare(b.Key) > 0
	}
	return a.Key.Compare(b.Key) < 0
}
