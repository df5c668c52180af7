package ratelimit

import (
	"sync/atomic"
	"time"

	"causeway/internal/problem"
)

// Use is a request under way that was counted. A nil Use is one that nobody
// counts.
type Use struct {
	quotas *Quotas
	held   []held
	done   atomic.Bool
}

// quotaName is how refusals and metrics call quotas.
const quotaName Name = "quota"

// held is a counter that the request keeps from being forgotten.
type held struct {
	*counter
	limit int64
	org   bool
}

// hold finds a counter for each number that the claims limit. Locks are held.
func (u *Use) hold(claims []Claim, now int64) error {
	for i := range claims {
		q, owner := claims[i].Quota, claims[i].owner()
		if q.Off() {
			continue
		}
		if owner.part != partOrg {
			return mistake("a quota belongs to no organization")
		}
		hash, part := u.quotas.hash(claims[i].Key), u.quotas.hash(owner)
		for what, number := range [...]struct {
			limit int64
			per   time.Duration
		}{requests: {q.Requests, q.RequestsPer}, concurrent: {limit: q.Concurrent}, bytes: {q.Bytes, q.BytesPer}} {
			if number.limit <= 0 {
				continue
			}
			id := counterID{hash, resource(what), number.per}
			if id.what != concurrent && id.per <= 0 {
				return mistake("a quota of %s has no period", resources[what])
			}
			c := u.quotas.shard(hash).counter(id, part, now)
			if c == nil {
				return u.full(hash, now)
			}
			c.underway++
			u.held = append(u.held, held{c, u.quotas.share(number.limit), claims[i].Key.part == partOrg})
		}
	}
	return nil
}

func (u *Use) full(hash uint64, now int64) error {
	s := u.quotas.shard(hash)
	s.full++
	return full(time.Duration(s.busy - now))
}

// judge finds the counter that has to be waited for longest: until then all
// others have room too. Locks are held.
func (u *Use) judge(now int64) error {
	var blame held
	longest := int64(0)
	for _, h := range u.held {
		if wait := h.wait(now); wait > longest {
			longest, blame = wait, h
		}
	}
	if longest == 0 {
		return nil
	}
	whose, kind := "The quota", PerAccount
	if blame.org {
		whose, kind = "The organization's quota", PerOrg
	}
	u.quotas.shard(blame.id.hash).refused++
	return &problem.Problem{
		Code: problem.TooManyRequests, Detail: whose + " of " + resources[blame.id.what] + " is used up.",
		RetryAfter: time.Duration(longest), Err: Refusal{Name: quotaName, Kind: kind},
	}
}

func (h held) wait(now int64) int64 {
	switch {
	case h.id.what != concurrent:
		return h.window.wait(h.id.slot(), h.limit, now)
	case h.underway > h.limit: // this request is one of them
		return int64(time.Second)
	}
	return 0
}

// release lets the counters go. Locks are held.
func (u *Use) release() {
	for _, h := range u.held {
		if h.underway--; h.underway == 0 {
			s := u.quotas.shard(h.id.hash)
			s.busy = min(s.busy, h.idleAt()) // the last sweep took it for busy
		}
	}
}

// Count adds n bytes that have passed, in either direction.
func (u *Use) Count(n int64) {
	if u == nil || n <= 0 {
		return
	}
	for _, h := range u.held {
		if h.id.what != bytes {
			continue
		}
		s := u.quotas.shard(h.id.hash)
		s.mu.Lock()
		h.window.add(h.id.slot(), u.quotas.clock(), n)
		s.mu.Unlock()
	}
}

// Done ends the request. A second call does nothing.
func (u *Use) Done() {
	if u == nil || u.done.Swap(true) {
		return
	}
	set := uint32(0)
	for _, h := range u.held {
		set |= 1 << (h.id.hash >> (64 - shardBits))
	}
	u.quotas.lock(set)
	defer u.quotas.unlock(set)
	u.release()
}
