package ratelimit

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"causeway/internal/problem"
)

// What each limit promises, with its default numbers.

func TestDeviceAuthorization(t *testing.T) {
	for _, tt := range []struct {
		name string
		keys func(i int) []Key
		want int
		kind Kind
	}{
		{"one client at one source", func(int) []Key {
			return []Key{addr("192.0.2.1"), Client("app"), Org("acme")}
		}, 6, PerClientAtSource},
		{"one source, made-up clients", func(i int) []Key {
			return []Key{addr("192.0.2.1"), Client(fmt.Sprint(i)), Org("acme")}
		}, 20, PerSource},
		{"one IPv6 host that changes its address", func(i int) []Key {
			return []Key{addr(fmt.Sprintf("2001:db8:1:2::%x", i)), Client(fmt.Sprint(i)), Org("acme")}
		}, 20, PerSource},
		{"one IPv4 network", func(i int) []Key {
			return []Key{addr(fmt.Sprintf("192.0.2.%d", i)), Client(fmt.Sprint(i)), Org("acme")}
		}, 60, PerNetwork},
		{"one IPv6 /48", func(i int) []Key {
			return []Key{addr(fmt.Sprintf("2001:db8:1:%x::1", i)), Client(fmt.Sprint(i)), Org("acme")}
		}, 60, PerNetwork},
		{"one client from everywhere", func(i int) []Key {
			return []Key{addr4(i), Client("app"), Org(fmt.Sprint(i))}
		}, 120, PerClient},
		{"one organization from everywhere", func(i int) []Key {
			return []Key{addr4(i), Client(fmt.Sprint(i)), Org("acme")}
		}, 120, PerOrg},
		{"everything different", func(i int) []Key {
			return []Key{addr4(i), Client(fmt.Sprint(i)), Org(fmt.Sprint(i))}
		}, 200, SiteWide},
		{"no organization named", func(i int) []Key {
			return []Key{addr4(i), Client(fmt.Sprint(i))}
		}, 200, SiteWide},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, _ := newLimiter(t, Config{})
			for i := range tt.want {
				if err := l.Spend(DeviceAuthorization, tt.keys(i)...); err != nil {
					t.Fatalf("call %d: %v", i+1, err)
				}
			}
			wantRefused(t, l.Spend(DeviceAuthorization, tt.keys(tt.want)...), tt.kind)
		})
	}
}

// An application that follows the protocol for hours never meets a limit,
// although a stranger floods its own source's budget all the while.
func TestPoliteApplicationIsNeverRefused(t *testing.T) {
	l, clk := newLimiter(t, Config{})
	app := []Key{addr("192.0.2.1"), Client("app"), Org("acme")}
	flood := []Key{addr("203.0.113.9"), Client("app"), Org("acme")}
	refused := 0
	for minute := range 6 * 60 {
		if minute%60 == 0 { // the device code has expired
			wantAllowed(t, l.Check(DeviceAuthorization, app[0]))
			wantAllowed(t, l.Spend(DeviceAuthorization, app...))
		}
		wantAllowed(t, l.Check(TokenFailure, app[0]))
		wantAllowed(t, l.Spend(TokenPoll, Request("app")))
		for range 20 {
			if l.Spend(DeviceAuthorization, flood...) != nil {
				refused++
			}
			_ = l.Spend(TokenFailure, flood[0])
		}
		clk.add(time.Minute)
	}
	if refused < 6*60*13 {
		t.Errorf("the flood was refused only %d times", refused)
	}
}

func TestUserCodeTries(t *testing.T) {
	l, clk := newLimiter(t, Config{})
	try := func(user string) error { return l.Spend(UserCode, Account(user), Org("acme")) }
	for i := range 10 {
		if err := try("ada"); err != nil {
			t.Fatalf("try %d: %v", i+1, err)
		}
	}
	wantRefused(t, try("ada"), PerAccount)
	wantAllowed(t, try("bob")) // another user of the organization goes on
	for i := 11; i < 60; i++ {
		wantAllowed(t, try(fmt.Sprint("user", i)))
	}
	wantRefused(t, try("carol"), PerOrg)
	wantAllowed(t, l.Spend(UserCode, Account("dan"), Org("globex")))

	clk.add(10*time.Minute - time.Nanosecond)
	wantRefused(t, l.Check(UserCode, Account("ada")), PerAccount)
	clk.add(10*time.Minute/7 + time.Microsecond) // at most a seventh late
	wantAllowed(t, l.Check(UserCode, Account("ada")))
	wantRefused(t, l.Check(UserCode, Org("acme")), PerOrg)
}

func TestLoginStrangerDoesNotLockOutTheOwner(t *testing.T) {
	l, _ := newLimiter(t, Config{})
	if n := spends(l, Login, addr("203.0.113.7"), Account("ada")); n != 20 {
		t.Errorf("a stranger had %d tries, want 20", n)
	}
	wantAllowed(t, l.Spend(Login, addr("203.0.113.8"), Account("ada"))) // even from next door
	wantAllowed(t, l.Spend(Login, addr("192.0.2.1"), Account("ada")))
}

// A whole network cannot empty the account's own bucket either. Many networks
// can; then the owner still gets in from where they have been before.
func TestLoginUnderDistributedGuessing(t *testing.T) {
	l, _ := newLimiter(t, Config{})
	for i := range 256 {
		_ = spends(l, Login, addr(fmt.Sprintf("203.0.113.%d", i)), Account("ada"))
	}
	wantAllowed(t, l.Spend(Login, addr("192.0.2.1"), Account("ada")))
	for i := range 256 {
		_ = spends(l, Login, addr4(i), Account("ada"))
	}
	wantRefused(t, l.Spend(Login, addr("192.0.2.1"), Account("ada")), PerAccount)
	home := netip.MustParseAddr("203.0.113.200") // its network is used up, too
	l.only(Login, PerNetwork, Budget{Tokens: 1, Per: time.Hour})
	wantAllowed(t, l.Spend(Login, addr("203.0.113.1"), Account("x")))
	wantRefused(t, l.Spend(Login, Source(home), Account("ada")), PerNetwork)
	wantAllowed(t, l.Spend(Login, Source(home).Known(), Account("ada")))
}

func TestKnownSourceIsStillLimited(t *testing.T) {
	l, _ := newLimiter(t, Config{})
	if n := spends(l, Login, addr("192.0.2.1").Known(), Account("ada")); n != 20 {
		t.Errorf("a known source had %d tries, want 20", n)
	}
	before := l.Stats()
	_ = l.Spend(Login, addr("198.51.100.1").Known(), Account("ada"))
	for i, st := range l.Stats() {
		own := st.Kind == PerSource || st.Kind == PerAccountAtSource
		if st.Name == Login && (st.Allowed > before[i].Allowed) != own {
			t.Errorf("%s: %d → %d tokens taken", st.Kind, before[i].Allowed, st.Allowed)
		}
	}
}

func TestTokenPollsAreNotThrottledByStrangers(t *testing.T) {
	l, _ := newLimiter(t, Config{})
	for i := range 2000 {
		_ = l.Spend(DeviceAuthorization, addr4(i), Client("app"), Org("acme"))
		_ = l.Spend(TokenFailure, addr4(i))
		_ = l.Spend(TokenPoll, Request(fmt.Sprint(i)))
	}
	_ = spends(l, TokenFailure, addr("192.0.2.77"))
	wantAllowed(t, l.Check(TokenFailure, addr("192.0.2.1")))
	for range 30 {
		wantAllowed(t, l.Spend(TokenPoll, Request("app")))
	}
	wantRefused(t, l.Spend(TokenPoll, Request("app")), PerRequest)
	for i := range 10 {
		_ = spends(l, TokenFailure, addr(fmt.Sprintf("192.0.2.%d", 70+i)))
	}
	wantRefused(t, l.Check(TokenFailure, addr("192.0.2.1")), PerNetwork)
	wantAllowed(t, l.Check(TokenFailure, addr("198.51.100.1")))
}

// Two hundred callers who share a token get through at once; a loop does not, and
// leaves the others of its organization alone.
func TestTokenRefresh_R13_StopsALoop(t *testing.T) {
	l, clk := newLimiter(t, Config{})
	if n := spends(l, TokenRefresh, Account("loop"), Org("acme")); n != 300 {
		t.Errorf("one account refreshed %d times, want 300", n)
	}
	if d := l.Take(TokenRefresh, Account("last but one"), Org("acme")); d.Next != 0 {
		t.Errorf("after one of 300 the next waits %s", d.Next)
	}
	wait := wantRefused(t, l.Spend(TokenRefresh, Account("loop"), Org("acme")), PerAccount)
	wantAllowed(t, l.Spend(TokenRefresh, Account("ada"), Org("acme")))
	clk.add(wait)
	d := l.Take(TokenRefresh, Account("loop"), Org("acme"))
	if wantAllowed(t, d.Err()); d.Next != 500*time.Millisecond {
		t.Errorf("after its last token the next waits %s, want the half second in which one comes", d.Next)
	}
	clk.add(d.Next)
	wantAllowed(t, l.Spend(TokenRefresh, Account("loop"), Org("acme")))
}

func TestManagementKeepsAccountsAndOrganizationsApart(t *testing.T) {
	l, _ := newLimiter(t, Config{})
	if n := spends(l, Management, Account("loop"), Org("acme")); n != 3000 {
		t.Errorf("one account had %d calls, want 3000", n)
	}
	wantAllowed(t, l.Spend(Management, Account("ada"), Org("acme")))
	_ = spends(l, Management, Account("loop2"), Org("acme"))
	wantRefused(t, l.Spend(Management, Account("ada"), Org("acme")), PerOrg)
	wantAllowed(t, l.Spend(Management, Account("ada"), Org("globex")))
}

// A limit that is asked wrongly refuses, and not with the client's fault.
func TestMisuse(t *testing.T) {
	l, _ := newLimiter(t, Config{})
	src, acc, org := addr("192.0.2.1"), Account("ada"), Org("acme")
	for _, tt := range []struct {
		name string
		err  error
	}{
		{"unknown limit", l.Spend("sundry", src)},
		{"a key is missing", l.Spend(DeviceAuthorization, src)},
		{"no key at all", l.Spend(Management)},
		{"a key that is not counted", l.Spend(Login, src, acc, org)},
		{"two keys of one sort", l.Spend(Login, src, acc, Account("bob"))},
		{"known where it means nothing", l.Spend(DeviceAuthorization, src.Known(), Client("app"))},
		{"check with a foreign key", l.Check(UserCode, src)},
	} {
		if !problem.Has(tt.err, problem.Internal) {
			t.Errorf("%s: got %v, want internal_error", tt.name, tt.err)
		}
	}
	for _, st := range l.Stats() {
		if st.Allowed+st.Refused > 0 {
			t.Errorf("%s/%s counted a call that was wrong", st.Name, st.Kind)
		}
	}
}

func TestRefusalTellsTheClientNothingAboutBuckets(t *testing.T) {
	eachBucket(t, func(t *testing.T, s shape, b bucketShape) {
		l, _ := newLimiter(t, Config{})
		l.only(s.name, b.kind, Budget{Tokens: 1, Per: time.Hour})
		_ = l.Spend(s.name, keysOf(s.name)...)
		p := problem.As(l.Spend(s.name, keysOf(s.name)...))
		if p == nil || p.Detail != s.detail || p.Detail == "" {
			t.Errorf("detail %+v", p)
		}
	})
}
