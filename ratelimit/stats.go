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

func (s *Stat) add(t tally) {
	s.Allowed += t.allowed
	s.Refused += t.refused
	s.Overflowed += t.overflowed
}

// Stats returns every kind of every limit, also those still at zero or switched
// off, always in the same order.
func (l *Limiter) Stats() []Stat {
	var all []Stat
	for _, s := range shapes {
		lim := l.limits[s.name]
		for _, t := range lim.tables {
			all = append(all, t.stat(s.name))
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

func (t *table) stat(name Name) Stat {
	st := Stat{Name: name, Kind: t.kind}
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		st.add(s.tally)
		st.Keys += len(s.entries)
		s.mu.Unlock()
	}
	return st
}
