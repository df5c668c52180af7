package secret_test

import (
	"regexp"
	"strings"
	"testing"

	"causeway/internal/secret"
)

// wantEven fails unless the characters are spread as chance would: chi-squared
// within 6 standard deviations of its mean. A modulo-biased alphabet of 62
// (each of its first 8 characters a quarter likelier) lands hundreds away.
func wantEven(t *testing.T, counts map[rune]int, alphabet, total int) {
	t.Helper()
	if len(counts) != alphabet {
		t.Errorf("%d different characters, want %d", len(counts), alphabet)
	}
	expected, chi2 := float64(total)/float64(alphabet), 0.0
	for _, n := range counts {
		chi2 += (float64(n) - expected) * (float64(n) - expected) / expected
	}
	degrees := float64(alphabet - 1)
	if far := chi2 - degrees; far*far > 36*2*degrees {
		t.Errorf("chi-squared is %.0f, expected about %.0f", chi2, degrees)
	}
}

func TestRandomTexts(t *testing.T) {
	for _, tt := range []struct {
		name     string
		make     func() string
		shape    string
		alphabet int
	}{
		{"Base62", func() string { return secret.Base62(32) }, `^[0-9A-Za-z]{32}$`, 62},
		{"URLSafe", func() string { return secret.URLSafe(33) }, `^[0-9A-Za-z_-]{44}$`, 64},
		{"UserCode", secret.UserCode, `^[B-DF-HJ-NP-TV-Y2-9]{4}-[B-DF-HJ-NP-TV-Y2-9]{4}$`, 28},
	} {
		t.Run(tt.name, func(t *testing.T) {
			seen, counts, total := map[string]bool{}, map[rune]int{}, 0
			shape := regexp.MustCompile(tt.shape)
			for range 10_000 {
				s := tt.make()
				if seen[s] || !shape.MatchString(s) {
					t.Fatalf("%q, seen before: %v", s, seen[s])
				}
				seen[s] = true
				if tt.name == "UserCode" {
					s = strings.ReplaceAll(s, "-", "")
				}
				for _, r := range s {
					counts[r]++
					total++
				}
			}
			wantEven(t, counts, tt.alphabet, total)
		})
	}
	if got := len(secret.URLSafe(32)); got != 43 {
		t.Errorf("a device code has %d characters, want 43", got)
	}
	if got := secret.Base62(0); got != "" {
		t.Errorf("Base62(0) = %q", got)
	}
}

func TestEqual(t *testing.T) {
	if !secret.Equal("abc", "abc") || secret.Equal("abc", "abd") || secret.Equal("abc", "ab") {
		t.Error("strings")
	}
	if !secret.Equal([]byte("abc"), []byte("abc")) || secret.Equal([]byte("abc"), nil) {
		t.Error("bytes")
	}
}

func TestNormalizeUserCode(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"CDFG-HJKM", "CDFG-HJKM"},
		{"cdfghjkm", "CDFG-HJKM"},
		{"  c d f g – h j k m \r\n", "CDFG-HJKM"},
		{"CDFG\u2011HJKM", "CDFG-HJKM"},
		{"3467-9xyw", "3467-9XYW"},
		{"", ""},
		{"----", ""},
		{"CDFG-HJK", ""},
		{"CDFG-HJKMN", ""},
		{"CDFG-HJK0", ""},                               // a zero, which no code has
		{"CDFG-HJZI", ""},                               // nor these
		{"CDFG-HJ\u212aM", ""},                          // Kelvin sign
		{"CDFG-HJK\uff2d", ""},                          // full-width M
		{"CDFG-HJK\xff", ""},                            // not UTF-8
		{"CDFG/HJKM", ""},                               // not a dash
		{"CDFG-HJKM\x00", ""},                           // a byte smuggled behind
		{"C" + strings.Repeat("-", 60) + "DFGHJKM", ""}, // too long to be an entry
	} {
		if got, ok := secret.NormalizeUserCode(tt.in); got != tt.want || ok != (tt.want != "") {
			t.Errorf("NormalizeUserCode(%q) = %q, %v; want %q", tt.in, got, ok, tt.want)
		}
	}
}

func FuzzNormalizeUserCode(f *testing.F) {
	for _, s := range []string{"CDFG-HJKM", "cdfg hjkm", "3VL8-SQVJ", "", "-", "CDFG\u2011HJKM", "\xff", secret.UserCode()} {
		f.Add(s)
	}
	shape := regexp.MustCompile(`^[BCDFGHJKLMNPQRSTVWXY23456789]{4}-[BCDFGHJKLMNPQRSTVWXY23456789]{4}$`)
	f.Fuzz(func(t *testing.T, s string) {
		code, ok := secret.NormalizeUserCode(s)
		if !ok {
			if code != "" {
				t.Fatalf("%q was refused with %q", s, code)
			}
			return
		}
		if !shape.MatchString(code) {
			t.Fatalf("%q became %q", s, code)
		}
		if again, ok := secret.NormalizeUserCode(strings.ToLower(code)); !ok || again != code {
			t.Fatalf("%q is not stable: %q", code, again)
		}
	})
}
