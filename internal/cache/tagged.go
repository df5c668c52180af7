package cache

import (
	"maps"
	"slices"
)

// tagged says which entries have a tag, by the tag's hash: of two tags with one hash
// either forgets what has the other too, which costs a read. Most tags are of one
// entry, for which a set would take more memory than all the rest of it.
type tagged struct {
	alone map[uint64]place
	many  map[uint64]map[place]struct{}
}

func newTagged() tagged {
	return tagged{alone: map[uint64]place{}, many: map[uint64]map[place]struct{}{}}
}

func (t tagged) add(tag uint64, at place) {
	if set := t.many[tag]; set != nil {
		set[at] = struct{}{}
		return
	}
	switch first := t.alone[tag]; first {
	case nowhere:
		t.alone[tag] = at
	case at:
	default:
		delete(t.alone, tag)
		t.many[tag] = map[place]struct{}{first: {}, at: {}}
	}
}

func (t tagged) remove(tag uint64, at place) {
	if t.alone[tag] == at {
		delete(t.alone, tag)
	}
	if set := t.many[tag]; set != nil {
		if delete(set, at); len(set) == 0 {
			delete(t.many, tag)
		}
	}
}

func (t tagged) of(tag uint64) []place {
	if at := t.alone[tag]; at != nowhere {
		return []place{at}
	}
	return slices.Collect(maps.Keys(t.many[tag]))
}

func (t tagged) none() bool { return len(t.alone)+len(t.many) == 0 }
