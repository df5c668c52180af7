package ratelimit

import (
	"fmt"
	"testing"
	"time"
)

func TestUpdateKeepsWhatWasUsed(t *testing.T) {
	login := func(perSource int) Config {
		return Config{Limits: Limits{Login: {
			PerAccountAtSource: {Tokens: perSource, Per: 10 * time.Minute},
			PerSource:          {}, PerNetwork: {}, SiteWide: {},
		}}}
	}
	for _, tt := range []struct{ from, used, to, left int }{
		{10, 7, 20, 13},
		{20, 7, 10, 3},
		{20, 15, 10, 0},
		{10, 0, 5, 5},
		{10, 7, 10, 3},
	} {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			l, clk := newLimiter(t, login(tt.from))
			clk.add(time.Hour)
			for range tt.used {
				wantAllowed(t, l.Spend(Login, addr("192.0.2.1"), Account("ada")))
			}
			if err := l.Update(login(tt.to)); err != nil {
				t.Fatal(err)
			}
			if n := spends(l, Login, addr("192.0.2.1"), Account("ada")); n != tt.left {
				t.Errorf("%d left, want %d", n, tt.left)
			}
			// Nobody waits longer than the new numbers say.
			wait := wantRefused(t, l.Spend(Login, addr("192.0.2.1"), Account("ada")), PerAccountAtSource)
			if most := 10 * time.Minute / time.Duration(tt.to); wait > most {
				t.Errorf("RetryAfter %s, want at most %s", wait, most)
			}
		})
	}
}

func TestUpdateOfEveryBucket(t *testing.T) {
	for _, name := range []Name{DeviceAuthorization, UserCode, Management, TokenPoll, TokenFailure} {
		l, clk := newLimiter(t, Config{})
		clk.add(time.Hour)
		for range 5 {
			wantAllowed(t, l.Spend(name, keysOf(name)...))
		}
		before := l.snapshot(name)
		if err := l.Update(Config{}); err != nil {
			t.Fatal(err)
		}
		if after := l.snapshot(name); fmt.Sprint(before) != fmt.Sprint(after) {
			t.Errorf("%s: an update that changes nothing changed\n%v\n%v", name, before, after)
		}
	}
}

func TestUpdateOfStrictLimit(t *testing.T) {
	l, clk := newLimiter(t, Config{})
	clk.add(24 * time.Hour)
	for range 4 {
		wantAllowed(t, l.Spend(UserCode, Account("ada"), Org("acme")))
	}
	for _, tt := range []struct {
		b    Budget
		left int
	}{
		{Budget{Tokens: 6, Per: 10 * time.Minute}, 2},
		{Budget{Tokens: 5, Per: 6 * time.Minute}, 1},
		{Budget{Tokens: 5, Per: 20 * time.Minute}, 1},
		{Budget{Tokens: 3, Per: 10 * time.Minute}, 0},
	} {
		if err := l.Update(Config{Limits: Limits{UserCode: {PerAccount: tt.b}}}); err != nil {
			t.Fatal(err)
		}
		d := l.decide(UserCode, []Key{Account("ada"), Org("acme")}, false)
		if d.Remaining != tt.left {
			t.Errorf("%s: %d left, want %d", tt.b, d.Remaining, tt.left)
		}
	}
	clk.add(20 * time.Minute)
	wantAllowed(t, l.Spend(UserCode, Account("ada"), Org("acme")))
}

func TestUpdateSwitchesBucketsOffAndOn(t *testing.T) {
	l, _ := newLimiter(t, Config{})
	keys := keysOf(DeviceAuthorization)
	_ = spends(l, DeviceAuthorization, keys...)
	off := Limits{DeviceAuthorization: {}}
	for _, kind := range []Kind{PerSource, PerNetwork, PerClientAtSource, PerClient, PerOrg, SiteWide} {
		off[DeviceAuthorization][kind] = Budget{}
	}
	if err := l.Update(Config{Limits: off}); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		wantAllowed(t, l.Spend(DeviceAuthorization, keys...))
	}
	if err := l.Update(Config{}); err != nil {
		t.Fatal(err)
	}
	if n := spends(l, DeviceAuthorization, keys...); n != 6 {
		t.Errorf("%d calls after switching on again, want 6", n)
	}
}

func TestUpdateWithFaultsChangesNothing(t *testing.T) {
	l, _ := newLimiter(t, Config{})
	bad := Config{Limits: Limits{
		TokenPoll:           {PerRequest: {Tokens: 1, Per: time.Minute}},
		DeviceAuthorization: {PerSource: {Tokens: -1}},
	}}
	if l.Update(bad) == nil {
		t.Fatal("the faults were not seen")
	}
	if n := spends(l, TokenPoll, Request("app")); n != 30 {
		t.Errorf("%d polls, want the old 30", n)
	}
}

func TestUpdateShrinksTables(t *testing.T) {
	l, clk := newLimiter(t, Config{})
	l.only(TokenFailure, PerSource, Budget{Tokens: 1, Per: time.Second, Burst: 10})
	for i := range 5000 {
		wantAllowed(t, l.Spend(TokenFailure, source6(i)))
		if i%2 == 0 {
			_ = spends(l, TokenFailure, source6(i))
		}
	}
	clk.add(2 * time.Second) // half are idle
	if err := l.Update(Config{MaxKeys: shardCount}); err != nil {
		t.Fatal(err)
	}
	if n := bucketsOf(l, TokenFailure, PerSource).Keys; n != 2500 {
		t.Errorf("%d buckets, want the 2500 that are in use", n)
	}
	clk.add(time.Hour)
	for i := range 1000 {
		_ = l.Spend(TokenFailure, source6(1<<24+i))
	}
	if n := bucketsOf(l, TokenFailure, PerSource).Keys; n > shardCount {
		t.Errorf("%d buckets, want at most %d", n, shardCount)
	}
}

// Three cells together give no more than the site has, nor much less.
func TestCellsShareTheSite(t *testing.T) {
	site, user := 0, 0
	var cells [3]*Limiter
	for i := range cells {
		l, clk := newLimiter(t, Config{Cells: 3})
		cells[i] = l
		calls := 0
		for range 100 {
			for l.Spend(DeviceAuthorization, addr4(calls), Client(fmt.Sprint(calls))) == nil {
				calls++
			}
			clk.add(100 * time.Millisecond)
		}
		site += calls
		user += spends(l, UserCode, Account("ada"), Org("acme"))
	}
	if site > 200+50*10 || site < 200+50*10-20 {
		t.Errorf("the site gave %d in ten seconds, want 700", site)
	}
	if user != 9 {
		t.Errorf("one user had %d tries, want 9", user)
	}
	if err := cells[0].Update(Config{Cells: 1}); err != nil { // the others have left
		t.Fatal(err)
	}
	if n := spends(cells[0], UserCode, Account("ada"), Org("acme")); n != 7 {
		t.Errorf("%d more tries, want 7", n)
	}
}
