package gateway_test

import (
	"strings"
	"testing"
	"unicode"

	"causeway/gateway"
	"causeway/internal/secret"
)

// Of a context header the organization's name is kept, and nothing that could be
// a credential: clients have put tokens into every header there is.
func TestTame_R12(t *testing.T) {
	for _, kept := range []string{
		"", "acme", "acme-labs", "Ünïted Ltd", "6f6f0000-0000-4000-8000-000000000001", "urn:vcloud:org:6f6f0000-0000-4000-8000-000000000001",
		"6f6f0000-0000-4000-8000-000000000001@e0570000-0000-4000-8000-000000000001",
	} {
		if got := gateway.Tame(kept); got != kept {
			t.Errorf("%q is kept as %q", kept, got)
		}
	}
	for _, gone := range []string{
		secret.Base62(32), secret.URLSafe(32), "eyJhbGciOiJFUzI1NiJ9.eyJqdGkiOiJ4In0.c2ln", strings.Repeat("0123456789abcdef", 2), "a\nb", "a\x1b[2J",
	} {
		if got := gateway.Tame(gone); got != "" {
			t.Errorf("%q is kept as %q", gone, got)
		}
	}
}

func FuzzTame(f *testing.F) {
	f.Add("acme")
	f.Add("urn:vcloud:org:6f6f0000-0000-4000-8000-000000000001@")
	f.Fuzz(func(t *testing.T, value string) {
		got := gateway.Tame(value)
		if got != "" && got != value || len(got) > 100 || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q is kept as %q", value, got)
		}
	})
}
