package cache

import (
	"maps"
	"slices"
)

// members are the keys with one tag. Most tags have one, for which a map would take
// more memory than all the rest of an entry.
type members[K comparable] struct {
	only  K
	alone bool // only is all there is
	many  map[K]struct{}
}

func (m members[K]) none() bool { return !m.alone && len(m.many) == 0 }

func (m members[K]) with(key K) members[K] {
	switch {
	case m.none():
		return members[K]{only: key, alone: true}
	case m.alone && m.only == key:
		return m
	case m.alone:
		m = members[K]{many: map[K]struct{}{m.only: {}}}
	}
	m.many[key] = struct{}{}
	return m
}

func (m members[K]) without(key K) members[K] {
	if m.alone && m.only == key {
		return members[K]{}
	}
	delete(m.many, key)
	return m
}

func (m members[K]) keys() []K {
	if m.alone {
		return []K{m.only}
	}
	return slices.Collect(maps.Keys(m.many))
}
