package ratelimit

import (
	"strings"
	"testing"
	"time"
)

func TestDefaultsAreValid(t *testing.T) {
	if err := (Config{}).Validate(); err != nil {
		t.Error(err)
	}
	if err := (Config{Limits: Defaults(), MaxKeys: 1 << 20, Cells: 7}).Validate(); err != nil {
		t.Error(err)
	}
	d := Defaults()
	d[Login][PerSource] = Budget{}
	if Defaults()[Login][PerSource].off() {
		t.Error("Defaults hands out its own map")
	}
	for _, s := range shapes {
		tables := 0
		for i, b := range s.buckets {
			if b.kind != SiteWide {
				tables++
			} else if i != len(s.buckets)-1 {
				t.Errorf("%s: the site-wide bucket must be locked last", s.name)
			}
		}
		if tables > maxTables {
			t.Errorf("%s has %d tables; raise maxTables", s.name, tables)
		}
	}
}

// No rounding makes a limit looser than its numbers.
func TestRateIsNotRoundedUp(t *testing.T) {
	for tokens := 1; tokens < 1000; tokens++ {
		b := Budget{Tokens: tokens, Per: time.Second}
		if got := b.every() * time.Duration(tokens); got < b.Per {
			t.Errorf("%s: %d tokens come back in %s", b, tokens, got)
		}
	}
}

func TestOutlasts(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		big, small Budget
		times      int
		want       bool
	}{
		{Budget{Tokens: 2, Per: time.Second}, Budget{Tokens: 1, Per: time.Second}, 2, true},
		{Budget{Tokens: 2, Per: time.Second}, Budget{Tokens: 1, Per: time.Second}, 3, false},
		{Budget{Tokens: 7, Per: 7 * time.Minute}, Budget{Tokens: 1, Per: time.Minute}, 1, true},
		{Budget{Tokens: 7, Per: 7*time.Minute + 1}, Budget{Tokens: 1, Per: time.Minute}, 1, false},
		{Budget{Tokens: 7, Per: time.Minute}, Budget{Tokens: 1, Per: time.Minute, Burst: 8}, 1, false},
		{Budget{Tokens: maxTokens, Per: 30 * day}, Budget{Tokens: maxTokens, Per: 31 * day}, 1, true},
		{Budget{Tokens: maxTokens, Per: 31 * day}, Budget{Tokens: maxTokens, Per: 30 * day}, 1, false},
		// In 64 bits these would wrap the other way round.
		{Budget{Tokens: maxTokens, Per: time.Second}, Budget{Tokens: 7000, Per: 2635249 * time.Second, Burst: 1}, 1, true},
		{Budget{Tokens: 7000, Per: 2635249 * time.Second, Burst: maxTokens}, Budget{Tokens: maxTokens, Per: time.Second}, 1, false},
	} {
		if got := tt.big.outlasts(tt.small, tt.times); got != tt.want {
			t.Errorf("%s outlasts %d times %s: %v, want %v", tt.big, tt.times, tt.small, got, tt.want)
		}
	}
}

func TestValidate(t *testing.T) {
	one := func(name Name, kind Kind, b Budget) Config {
		return Config{Limits: Limits{name: {kind: b}}}
	}
	ok := Budget{Tokens: 1, Per: time.Minute}
	for _, tt := range []struct {
		name string
		c    Config
		want string // "" is valid
	}{
		{"a limit that does not exist", one("sundry", PerSource, ok), `no limit "sundry"`},
		{"a bucket that does not exist", one(Login, PerOrg, ok), `login: it has no bucket "org"`},
		{"too few tokens", one(Login, PerSource, Budget{Per: time.Minute}), "login: source: Tokens is 0"},
		{"too many tokens", one(Management, PerOrg, Budget{Tokens: 1e7, Per: time.Minute}), "Tokens is 10000000"},
		{"no time", one(TokenPoll, PerRequest, Budget{Tokens: 1}), "token_poll: request: Per is 0s"},
		{"too long a time", one(TokenPoll, PerRequest, Budget{Tokens: 1, Per: 1000 * time.Hour}), "Per is 1000h"},
		{"negative burst", one(TokenPoll, PerRequest, Budget{Tokens: 1, Per: time.Hour, Burst: -1}), "Burst is -1"},
		{"fills for months", one(TokenPoll, PerRequest, Budget{Tokens: 1, Per: time.Hour, Burst: 1000}), "to fill"},
		{"the fill time does not overflow", one(TokenPoll, PerRequest, Budget{Tokens: 1, Per: 31 * 24 * time.Hour, Burst: 1e6}), "to fill"},
		{"the fill time does not wrap", one(TokenPoll, PerRequest, Budget{Tokens: 1, Per: 1 << 51, Burst: 1 << 13}), "to fill"},
		{"guessing made easier: more", one(UserCode, PerAccount, Budget{Tokens: 11, Per: 10 * time.Minute}), "guessing"},
		{"guessing made easier: faster", one(UserCode, PerAccount, Budget{Tokens: 10, Per: 9 * time.Minute}), "guessing"},
		{"guessing made easier: more at once", one(UserCode, PerOrg, Budget{Tokens: 61, Per: 2 * time.Hour}), "guessing"},
		{"guessing made harder", one(UserCode, PerAccount, Budget{Tokens: 5, Per: 10 * time.Minute}), ""},
		{"strict with a burst", one(UserCode, PerAccount, Budget{Tokens: 5, Per: 10 * time.Minute, Burst: 6}), "strict"},
		{"strict beyond a byte", one(UserCode, PerOrg, Budget{Tokens: 256, Per: 10 * time.Hour}), "1 to 255"},
		{"user codes unlimited", one(UserCode, PerAccount, Budget{}), "cannot be switched off"},
		{"logins unlimited", one(Login, PerAccountAtSource, Budget{}), "cannot be switched off"},
		{"logins per source unlimited", one(Login, PerSource, Budget{}), ""},
		{"a network empties the account", one(Login, PerAccount, Budget{Tokens: 239, Per: 10 * time.Minute}),
			"account (239 per 10m, burst 239) must be at least 2 times network"},
		{"a network outpaces the account", one(Login, PerAccount, Budget{Tokens: 240, Per: 11 * time.Minute}), "at least 2 times network"},
		{"the same rate in other units", one(Login, PerAccount, Budget{Tokens: 24, Per: time.Minute, Burst: 240}), ""},
		{"too few keys", Config{MaxKeys: 31}, "MaxKeys is 31"},
		{"too many keys", Config{MaxKeys: 1 << 30}, "MaxKeys"},
		{"negative cells", Config{Cells: -1}, "Cells is -1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.c.Validate()
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if _, err := New(tt.c); err == nil {
				t.Error("New took it")
			}
		})
	}
}

func TestValidateReportsEveryFault(t *testing.T) {
	err := Config{
		MaxKeys: 1, Cells: -1,
		Limits: Limits{
			"sundry":            {},
			Login:               {PerSource: {Tokens: -1}, PerAccount: {}, PerOrg: {}},
			DeviceAuthorization: {PerClient: {Tokens: 1, Per: time.Hour}},
		},
	}.Validate()
	if err == nil {
		t.Fatal("valid")
	}
	for _, want := range []string{
		"MaxKeys", "Cells", "sundry", "source: Tokens is -1", "source: Per is 0s",
		"account: it cannot be switched off", `no bucket "org"`, "client (1 per 1h, burst 1)",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing from:\n%v", want, err)
		}
	}
	if again := (Config{MaxKeys: 1, Cells: -1}).Validate().Error(); strings.Count(again, "\n") != 1 {
		t.Errorf("two faults read %q", again)
	}
}
