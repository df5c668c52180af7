package secret_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"regexp"
	"testing"

	"causeway/internal/secret"
)

func newKeys(t testing.TB, fill byte) *secret.Keys {
	t.Helper()
	k, err := secret.NewKeys(bytes.Repeat([]byte{fill}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestKeysStayTheSame pins every derivation: a change here would make each
// stored digest, sealed key and refresh token of running sites worthless.
func TestKeysStayTheSame(t *testing.T) {
	k := newKeys(t, 1)
	for name, tt := range map[string]struct{ got, want string }{
		"key id":    {k.KeyID(), "6297012385cb8e12"},
		"digest":    {hex.EncodeToString(k.Digest("user code", "CDFG-HJKM")), "16965531efd033b9d12d3e9ca215f3dd5cbb9b11da7fd5ce9298b29b3fb05c10"},
		"successor": {k.Successor("SsybukUed8SBP2p1AaFiGJhrntQNWZVX"), "tYvly6fyWK5yW9TkQpoql1HXhIPvaysK"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s = %s, want %s", name, tt.got, tt.want)
		}
	}
	sealed, err := hex.DecodeString("01d91341ba86f38f70d1b2ad552190820061aa9e37a6b158c962ca50b564cd1cf250018e1fc784d553c53264")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.Open("signing key", sealed); err != nil || string(got) != "sealed long ago" {
		t.Errorf("a value sealed by an earlier version: %q, %v", got, err)
	}
}

func TestKeysNeedAWholeMasterKey(t *testing.T) {
	for _, n := range []int{0, 16, 31, 33} {
		if _, err := secret.NewKeys(make([]byte, n)); err == nil {
			t.Errorf("%d bytes were accepted", n)
		}
	}
}

func TestDigestsAreSeparate_R12(t *testing.T) {
	k := newKeys(t, 1)
	seen := map[string]string{}
	for name, d := range map[string][]byte{
		"plain":             k.Digest("ab", "c"),
		"the border moved":  k.Digest("a", "bc"),
		"another purpose":   k.Digest("ba", "c"),
		"another value":     k.Digest("ab", "d"),
		"everything before": k.Digest("abc", ""),
		"everything after":  k.Digest("", "abc"),
		"another key":       newKeys(t, 2).Digest("ab", "c"),
	} {
		if other, dup := seen[string(d)]; dup || len(d) != 32 {
			t.Errorf("%q and %q have the digest %x", name, other, d)
		}
		seen[string(d)] = name
	}
	if !bytes.Equal(k.Digest("ab", "c"), newKeys(t, 1).Digest("ab", "c")) {
		t.Error("two cells with one master key disagree")
	}
}

func TestSealedValuesDoNotMove_R12(t *testing.T) {
	k, plain := newKeys(t, 1), []byte("private key")
	sealed := k.Seal("signing", plain)
	if got, err := k.Open("signing", sealed); err != nil || !bytes.Equal(got, plain) {
		t.Fatalf("Open = %q, %v", got, err)
	}
	if bytes.Equal(sealed, k.Seal("signing", plain)) {
		t.Error("the same nonce twice")
	}
	if bytes.Contains(sealed, plain) {
		t.Error("not encrypted")
	}
	refused := func(name string, k *secret.Keys, purpose string, sealed []byte) {
		t.Helper()
		if got, err := k.Open(purpose, sealed); !errors.Is(err, secret.ErrSealed) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	refused("another purpose", k, "association", sealed)
	refused("no purpose", k, "", sealed)
	refused("another key", newKeys(t, 2), "signing", sealed)
	for i := range sealed {
		altered := bytes.Clone(sealed)
		altered[i] ^= 1
		refused("one bit altered", k, "signing", altered)
		refused("cut short", k, "signing", sealed[:i])
	}
	refused("made longer", k, "signing", append(bytes.Clone(sealed), 0))
}

func TestSuccessor(t *testing.T) {
	k := newKeys(t, 1)
	shape := regexp.MustCompile(`^[0-9A-Za-z]{32}$`)
	seen := map[string]string{}
	for name, s := range map[string]string{
		"plain":         k.Successor("token"),
		"another token": k.Successor("tokem"),
		"a longer one":  k.Successor("token\x00"),
		"another key":   newKeys(t, 2).Successor("token"),
		"its own":       k.Successor(k.Successor("token")),
	} {
		if other, dup := seen[s]; dup {
			t.Errorf("%q and %q give %s", name, other, s)
		}
		seen[s] = name
		if !shape.MatchString(s) {
			t.Errorf("%s: %q is not 32 letters and digits", name, s)
		}
	}
	if k.Successor("token") != newKeys(t, 1).Successor("token") {
		t.Error("a retry would get another token")
	}
}

// TestSuccessorChain walks a chain as a service account does for years: nothing
// may repeat and no character may be favoured.
func TestSuccessorChain(t *testing.T) {
	k, token := newKeys(t, 1), secret.Base62(32)
	seen, counts := map[string]bool{}, map[rune]int{}
	const steps = 10_000
	for g := range steps {
		token = k.Successor(token)
		if seen[token] {
			t.Fatalf("generation %d repeats %s", g, token)
		}
		seen[token] = true
		for _, r := range token {
			counts[r]++
		}
	}
	wantEven(t, counts, 62, steps*32)
}

func BenchmarkDigest(b *testing.B) {
	k := newKeys(b, 1)
	for b.Loop() {
		k.Digest("refresh token", "SsybukUed8SBP2p1AaFiGJhrntQNWZVX")
	}
}

func BenchmarkSuccessor(b *testing.B) {
	k := newKeys(b, 1)
	for b.Loop() {
		k.Successor("SsybukUed8SBP2p1AaFiGJhrntQNWZVX")
	}
}
