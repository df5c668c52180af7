package ratelimit

// Stat is what one kind of bucket of one limit has done since the start.
type Stat struct {
	Name Name
	Kind Kind
	// Allowed counts tokens taken, returned ones included.
	Allowed uint64
	// Refused counts calls that this kind refused. A call that several refused
	// counts where it had to wait longest, so the kinds of a limit add up to
	// its refused calls.
	Refused uint64
	// Overflowed counts allowed calls that had to share a bucket because the
	// table was full: above zero, MaxKeys is too small or somebody makes keys up.
	Overflowed uint64
	// Keys is how many buckets are kept now, idle ones included.
	Keys int
}

// tally is guarded by the lock of what it is part of.
type tally struct{ allowed, refused, overflowed uint64 }

func (t *tally) add(more tally) {
	t.allowed += more.allowed
	t.refused += more.refused
	t.overflowed += more.overflowed
}

func (s *Stat) add(t tally) {
	s.Allowed += t.allowed
	s.Refused += t.refused
	s.Overflowed += t.overflowed
}

// Stats returns every kind of every limit, also those still at zero or switched
// off, always in the same order.
func (l *Limiter) Stats() []Stat {
	l.reload.Lock() // tables that change hands would be counted twice
	defer l.reload.Unlock()
	var all []Stat
	for _, s := range shapes {
		lim := l.limits[s.name]
		for i, t := range lim.tables {
			st := Stat{Name: s.name, Kind: t.kind}
			t.count(&st)
			if own := lim.own.Load(); own != nil {
				for _, tables := range *own {
					if tables[i] != t {
						tables[i].count(&st)
					}
				}
			}
			all = append(all, st)
		}
		if lim.site != nil {
			lim.site.mu.Lock()
			st := Stat{Name: s.name, Kind: SiteWide}
			st.add(lim.site.tally)
			lim.site.mu.Unlock()
			all = append(all, st)
		}
	}
	return all
}

// count adds what the table has done to st.
func (t *table) count(st *Stat) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		st.add(s.tally)
		st.Keys += len(s.entries)
		s.mu.Unlock()
	}
}
