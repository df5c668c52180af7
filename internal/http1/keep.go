package http1

import (
	"slices"
	"time"
)

// take is a connection that is kept, or nil.
func (t *Transport) take(at place) *kept {
	for {
		c := t.last(at)
		if c == nil || c.Quiet() {
			return c
		}
		c.Close()
	}
}

func (t *Transport) last(at place) *kept {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := t.idle[at]
	if len(list) == 0 {
		return nil
	}
	c := list[len(list)-1]
	list[len(list)-1] = nil
	t.idle[at] = list[:len(list)-1]
	t.open--
	return c
}

// give takes a connection back.
func (t *Transport) give(c *kept, again bool) {
	if !again || !t.keep(c) {
		c.Close()
	}
}

func (t *Transport) keep(c *kept) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open >= t.Other.MaxIdleConns || len(t.idle[c.at]) >= t.Other.MaxIdleConnsPerHost {
		return false
	}
	if t.idle == nil {
		t.idle = map[place][]*kept{}
	}
	c.since = time.Now()
	t.idle[c.at] = append(t.idle[c.at], c)
	t.open++
	if t.prune == nil {
		t.prune = time.AfterFunc(t.Other.IdleConnTimeout, t.old)
	}
	return true
}

// old closes what was not used for long, and comes again while there is anything.
func (t *Transport) old() {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := time.Now().Add(-t.Other.IdleConnTimeout)
	t.prune = nil
	var next time.Time
	for at, list := range t.idle {
		n := 0
		for n < len(list) && !list[n].since.After(before) {
			list[n].Close()
			n++
		}
		t.open -= n
		if list = slices.Delete(list, 0, n); len(list) == 0 {
			delete(t.idle, at)
			continue
		}
		t.idle[at] = list
		if next.IsZero() || list[0].since.Before(next) {
			next = list[0].since
		}
	}
	if !next.IsZero() {
		t.prune = time.AfterFunc(next.Sub(before)+time.Millisecond, t.old)
	}
}

// CloseIdleConnections closes what is kept, and what Other keeps.
func (t *Transport) CloseIdleConnections() {
	t.Other.CloseIdleConnections()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, list := range t.idle {
		for _, c := range list {
			c.Close()
		}
	}
	clear(t.idle)
	t.open = 0
}
