package assertion

import (
	"crypto/ecdsa"
	"errors"
	"strings"
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/tenants"
)

func newMinter(t testing.TB) *Minter {
	t.Helper()
	m, err := NewMinter(8)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func split(t testing.TB, m *Minter, key *ecdsa.PrivateKey, c Claims) (introduction, ticket string) {
	t.Helper()
	token, err := m.Mint(key, c)
	if err != nil {
		t.Fatal(err)
	}
	introduction, ticket, _ = strings.Cut(token, separator)
	return introduction, ticket
}

// A session is introduced once for what it asks within seconds; each request has a
// ticket of its own.
func TestMinter_R10_OneIntroductionManyTickets(t *testing.T) {
	key, m := newKey(t), newMinter(t)
	first, ticket := split(t, m, key, claims())
	later := claims()
	later.IssuedAt = issued.Add(reuse - time.Second)
	again, other := split(t, m, key, later)
	if again != first || other == ticket {
		t.Error("a request within seconds is introduced anew, or has the same ticket")
	}
	for what, change := range map[string]func(*Claims){
		"too late":             func(c *Claims) { c.IssuedAt = issued.Add(reuse) },
		"before it was made":   func(c *Claims) { c.IssuedAt = issued.Add(-time.Second) },
		"of another session":   func(c *Claims) { c.Session = SessionHash("other") },
		"of another principal": func(c *Claims) { c.Subject = "other" },
		"for another place":    func(c *Claims) { c.Dst = "20000000-0000-4000-8000-000000000003" },
		"for another site":     func(c *Claims) { c.Audience = siteC },
	} {
		c := claims()
		change(&c)
		if got, _ := split(t, newMinter(t), key, claims()); got == first {
			t.Fatal("two introductions are equal")
		}
		if got, _ := split(t, m, key, c); got == first {
			t.Errorf("%s: the same introduction", what)
		}
	}
	if got, _ := split(t, m, newKey(t), claims()); got == first {
		t.Error("another key: the same introduction")
	}
}

// A verified introduction spares the signature check and nothing else: who is
// associated, by which key, and what the request is, counts each time.
func TestVerify_R10_AKnownIntroductionProvesNoRequest(t *testing.T) {
	key, m := newKey(t), newMinter(t)
	v := NewVerifier(0, 0)
	introduction, ticket := split(t, m, key, claims())
	if _, err := v.Verify(introduction+separator+ticket, expect(&key.PublicKey)); err != nil {
		t.Fatal(err)
	}
	_, fresh := split(t, m, key, claims())
	_, foreign := split(t, newMinter(t), key, claims())
	digest := claims()
	digest.Body = BodyDigest([]byte("hello"))
	_, withDigest := split(t, m, key, digest)
	for _, tt := range []struct {
		name   string
		ticket string
		change func(*Expect)
		want   error
	}{
		{"the ticket again", ticket, func(*Expect) {}, ErrReplayed},
		{"the ticket of another introduction", foreign, func(*Expect) {}, ErrRequest},
		{"another method", fresh, func(e *Expect) { e.Method = "POST" }, ErrRequest},
		{"another URI", fresh, func(e *Expect) { e.RequestURI += "&x" }, ErrRequest},
		{"another channel", fresh, func(e *Expect) { e.Channel = siteC }, ErrChannel},
		{"a digest nobody checked", withDigest, func(*Expect) {}, ErrRequest},
		{"no association any more", fresh, func(e *Expect) {
			e.KeyFor = func(tenants.SiteID, tenants.OrgID, tenants.OrgID) (*ecdsa.PublicKey, error) { return nil, errGone }
		}, errGone},
		{"a key that was replaced", fresh, func(e *Expect) { *e = expect(&newKey(t).PublicKey) }, ErrSignature},
		{"an organization without a key", fresh, func(e *Expect) { *e = expect(nil) }, ErrSignature},
		{"after its life", fresh, func(e *Expect) { e.Now = issued.Add(lifetime + leeway) }, ErrTime},
		{"no ticket", "", func(*Expect) {}, ErrMalformed},
		{"half a ticket", fresh[:20], func(*Expect) {}, ErrMalformed},
		{"two tickets", fresh + separator + fresh, func(*Expect) {}, ErrMalformed},
		{"a time with a sign", "+" + fresh, func(*Expect) {}, ErrRequest},
		{"as it is", fresh, func(*Expect) {}, nil},
	} {
		e := expect(&key.PublicKey)
		tt.change(&e)
		if _, err := v.Verify(introduction+separator+tt.ticket, e); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

var errGone = problem.New(problem.Forbidden, "not associated any more")

// A ticket lives as long as an assertion, and no longer than its introduction.
func TestTicket_R10_LivesNoLongerThanItsIntroduction(t *testing.T) {
	key, m := newKey(t), newMinter(t)
	introduction, _ := split(t, m, key, claims())
	late := claims()
	late.IssuedAt = issued.Add(reuse - time.Second)
	_, ticket := split(t, m, key, late)
	for after, ok := range map[time.Duration]bool{reuse: true, lifetime + leeway - time.Second: true, lifetime + leeway: false} {
		e := expect(&key.PublicKey)
		e.Now = issued.Add(after)
		if _, err := NewVerifier(0, 0).Verify(introduction+separator+ticket, e); (err == nil) != ok {
			t.Errorf("%s after the introduction: %v", after, err)
		}
	}
}

func BenchmarkKnownIntroduction(b *testing.B) {
	key, m := newKey(b), newMinter(b)
	v := NewVerifier(1<<20, 1<<20)
	e := expect(&key.PublicKey)
	for b.Loop() {
		token, err := m.Mint(key, claims())
		if err != nil {
			b.Fatal(err)
		}
		e.Now = e.Now.Add(time.Microsecond)
		if _, err := v.Verify(token, e); err != nil && !errors.Is(err, ErrFull) {
			b.Fatal(err)
		}
	}
}
