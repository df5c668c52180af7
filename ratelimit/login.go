package ratelimit

import "net/netip"

// LoginTry is one try of a password, with the tokens of [Login] it took.
type LoginTry struct {
	Decision
	// Known says that the account has logged in from this source before.
	Known bool

	addr     netip.Addr
	account  string
	borrowed bool
}

// TakeLogin is Take for Login by a source that may be known. Such a source too
// is counted like others as long as they all get in; when strangers have used up
// what is shared, it falls back on the buckets of its own, and those tokens it
// does not get back: else who has an account could make the site hash without
// any bound.
func (l *Limiter) TakeLogin(addr netip.Addr, account string) LoginTry {
	t := LoginTry{Known: l.known.has(account, addr), addr: addr, account: account}
	t.Decision = l.Take(Login, Source(addr), Account(account))
	if !t.Allowed && t.Known {
		t.borrowed = true
		t.Decision = l.Take(Login, Source(addr).Known(), Account(account))
	}
	return t
}

// Return gives the tokens back: the try failed for another reason than a wrong
// password.
func (t *LoginTry) Return() {
	if !t.borrowed {
		t.Decision.Return()
	}
}

// Succeeded gives the tokens back, and the source is known from now on.
func (t *LoginTry) Succeeded() {
	t.Return()
	if t.limiter != nil {
		t.limiter.known.note(t.account, t.addr)
	}
}
