package ratelimit

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

var (
	home  = netip.MustParseAddr("192.0.2.1")
	hotel = netip.MustParseAddr("198.51.100.1")
)

// logIn is a try with the right password.
func logIn(l *Limiter, addr netip.Addr, account string) error {
	t := l.TakeLogin(addr, account)
	err := t.Err()
	if err == nil {
		t.Succeeded()
	}
	return err
}

// flood fails to log in from hundreds of networks: as account until nobody can,
// and then as anybody.
func flood(l *Limiter, account string) {
	for i := range 800 {
		if i == 400 {
			account = "anybody"
		}
		t := l.TakeLogin(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1}), account)
		_ = t.Err() // wrong: the token stays spent
	}
}

// TestTakeLogin_R13_KnownSourceGetsInDuringAFlood: strangers from everywhere
// shut nobody out of a place they have logged in from, neither by an account's
// name nor by keeping the site busy.
func TestTakeLogin_R13_KnownSourceGetsInDuringAFlood(t *testing.T) {
	l, clk := newLimiter(t, Config{})
	wantAllowed(t, logIn(l, home, "ada"))
	flood(l, "ada")
	wantRefused(t, logIn(l, hotel, "ada"), PerAccount)
	wantRefused(t, logIn(l, home, "bob"), SiteWide)
	for range 3 {
		wantAllowed(t, logIn(l, home, "ada"))
	}
	clk.add(time.Minute) // the site's bucket fills, the account's does not
	flood(l, "ada")
	wantAllowed(t, logIn(l, home, "ada"))
	wantAllowed(t, logIn(l, home, "bob"))
}

// Who is known cannot make the site hash without bound while it is flooded, not
// even with the right password; in quiet times it costs them nothing.
func TestTakeLogin_R13_KnownSourceIsStillLimited(t *testing.T) {
	l, clk := newLimiter(t, Config{})
	for range 250 {
		wantAllowed(t, logIn(l, home, "ada"))
	}
	clk.add(time.Minute)
	flood(l, "ada")
	n := 0
	for logIn(l, home, "ada") == nil {
		if n++; n > 1000 {
			t.Fatal("without any bound")
		}
	}
	if n != 20 {
		t.Errorf("%d logins while the site is flooded, want 20", n)
	}
	clk.add(time.Minute)
	flood(l, "ada")
	wantAllowed(t, logIn(l, home, "ada"))
}

// Only a right password makes a source known, and for its account alone.
func TestTakeLogin_R13_FailingMakesNobodyKnown(t *testing.T) {
	l, _ := newLimiter(t, Config{})
	for range 5 {
		try := l.TakeLogin(hotel, "ada")
		wantAllowed(t, try.Err())
	}
	try := l.TakeLogin(hotel, "ada")
	try.Return() // the database was down
	wantAllowed(t, logIn(l, hotel, "bob"))
	wantAllowed(t, logIn(l, netip.Addr{}, "ada"))
	for _, from := range []netip.Addr{hotel, {}} {
		if l.TakeLogin(from, "ada").Known {
			t.Errorf("%s is known", from)
		}
	}
	if next := netip.MustParseAddr("198.51.100.2"); l.TakeLogin(next, "bob").Known || !l.TakeLogin(hotel, "bob").Known {
		t.Error("bob is known from the wrong place")
	}
}

// TestKnown_R13_Bounded: neither one person's many addresses nor many people
// take more room, and one person displaces nobody else.
func TestKnown_R13_Bounded(t *testing.T) {
	k := newKnown(3)
	k.note("bob", home)
	for i := range 100 {
		k.note("ada", netip.MustParseAddr(fmt.Sprintf("2001:db8:0:%x::1", i)))
		k.note("ada", home) // used again and again
	}
	for addr, want := range map[string]bool{
		home.String(): true, "2001:db8:0:63::2": true, "2001:db8:0:5d::1": true, "2001:db8:0:5c::1": false,
	} {
		if k.has("ada", netip.MustParseAddr(addr)) != want {
			t.Errorf("%s is known: %v", addr, !want)
		}
	}
	if !k.has("bob", home) {
		t.Error("ada made bob forgotten")
	}
	k.note("eve", home)
	k.has("bob", home) // anybody can ask, and keeps nobody by it
	k.note("ada", home)
	k.note("mallory", home)
	if k.has("bob", home) || !k.has("ada", home) || !k.has("eve", home) || k.accounts.Len() != 3 {
		t.Error("not the one who has not logged in for longest was forgotten")
	}
}
