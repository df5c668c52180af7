package secret_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/internal/secret"
)

func newHasher(t *testing.T, limits secret.PasswordLimits) *secret.PasswordHasher {
	t.Helper()
	p, err := secret.NewPasswordHasher(limits)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPasswords_R12(t *testing.T) {
	ctx, p := t.Context(), newHasher(t, secret.PasswordLimits{Concurrent: 2, Waiting: 8})
	encoded, err := p.Hash(ctx, "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(encoded, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(encoded, "horse") {
		t.Errorf("encoded as %q", encoded)
	}
	if other, err := p.Hash(ctx, "correct horse"); err != nil || other == encoded {
		t.Errorf("the same salt twice: %q, %v", other, err)
	}
	for _, tt := range []struct {
		password secret.Text
		want     bool
	}{{"correct horse", true}, {"correct Horse", false}, {"correct horse ", false}, {"", false}} {
		if got, err := p.Verify(ctx, encoded, tt.password); got != tt.want || err != nil {
			t.Errorf("Verify(%q) = %v, %v", tt.password.Reveal(), got, err)
		}
	}
	if err := p.VerifyDummy(ctx, "correct horse"); err != nil {
		t.Error(err)
	}
}

// TestVerifyDummyTakesAsLong compares the fastest of some runs, which noise
// cannot make faster. Without the work the ratio would be in the thousands.
func TestVerifyDummyTakesAsLong(t *testing.T) {
	ctx, p := t.Context(), newHasher(t, secret.PasswordLimits{Concurrent: 1})
	encoded, err := p.Hash(ctx, "x")
	if err != nil {
		t.Fatal(err)
	}
	fastest := func(f func()) time.Duration {
		best := time.Hour
		for range 5 {
			start := time.Now()
			f()
			best = min(best, time.Since(start))
		}
		return best
	}
	known := fastest(func() { _, _ = p.Verify(ctx, encoded, "wrong") })
	unknown := fastest(func() { _ = p.VerifyDummy(ctx, "wrong") })
	if unknown > 4*known || known > 4*unknown {
		t.Errorf("a known user takes %v, an unknown one %v", known, unknown)
	}
}

// TestStoredHashIsBounded: whoever can write a row must not be able to make a
// login cost gigabytes, or to store a hash that every password fits.
func TestStoredHashIsBounded(t *testing.T) {
	const salt, sum = "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	ctx, p := t.Context(), newHasher(t, secret.PasswordLimits{Concurrent: 1})
	if _, err := p.Verify(ctx, "$argon2id$v=19$m=8192,t=1,p=1$"+salt+"$"+sum, "x"); err != nil {
		t.Errorf("the smallest was refused: %v", err)
	}
	for _, encoded := range []string{
		"", "x", "$argon2id$",
		"$argon2i$v=19$m=19456,t=2,p=1$" + salt + "$" + sum,
		"$argon2id$v=16$m=19456,t=2,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$m=4194304,t=2,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$m=8,t=2,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$m=19456,t=1000,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$m=19456,t=0,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$m=19456,t=2,p=0$" + salt + "$" + sum,
		"$argon2id$v=19$m=19456,t=2,p=255$" + salt + "$" + sum,
		"$argon2id$v=19$m=19456,t=2,p=257$" + salt + "$" + sum,
		"$argon2id$v=19$m=-1,t=2,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$m=19456,t=2,p=1,x=1$" + salt + "$" + sum,
		"$argon2id$v=19$m= 19456,t=2,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$m=019456,t=2,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$t=2,m=19456,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$m=19456,t=2,p=1$AAAA$" + sum,
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$",
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$AAAA",
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + sum + "=",
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + sum + "$",
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + strings.Repeat("A", 200),
		"$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
	} {
		if ok, err := p.Verify(ctx, encoded, "x"); ok || err == nil {
			t.Errorf("%q was accepted", encoded)
		}
	}
}

func TestPasswordHasherNeedsASlot(t *testing.T) {
	for _, limits := range []secret.PasswordLimits{{}, {Concurrent: -1}, {Concurrent: 1, Waiting: -1}} {
		if _, err := secret.NewPasswordHasher(limits); err == nil {
			t.Errorf("%+v was accepted", limits)
		}
	}
}

func TestPasswordHasherHonoursContext(t *testing.T) {
	p := newHasher(t, secret.PasswordLimits{Concurrent: 1})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Hash(ctx, "x"); !problem.Has(err, problem.Unavailable) {
		t.Errorf("Hash for a client who has left: %v", err)
	}
}
