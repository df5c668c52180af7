package oauth_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"causeway/internal/problem"
	"causeway/oauth"
)

func TestRoleScope(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, role, scope string }{
		{"VCD-21 as in the sample", "System Administrator", "urn:vcloud:role:System%20Administrator"},
		{"VCD-23 space", "a b", "urn:vcloud:role:a%20b"},
		{"VCD-23 percent", "100%", "urn:vcloud:role:100%25"},
		{"VCD-23 what looks encoded", "a%20b", "urn:vcloud:role:a%2520b"},
		{"VCD-23 slash", "vApp/Author", "urn:vcloud:role:vApp%2FAuthor"},
		{"VCD-23 question mark", "who?", "urn:vcloud:role:who%3F"},
		{"VCD-23 hash", "#1", "urn:vcloud:role:%231"},
		{"VCD-23 plus is a plus", "a+b", "urn:vcloud:role:a+b"},
		{"VCD-23 not ASCII", "Verwaltung für Köln 管理", "urn:vcloud:role:Verwaltung%20f%C3%BCr%20K%C3%B6ln%20%E7%AE%A1%E7%90%86"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := oauth.RoleScope(tt.role); got != tt.scope {
				t.Errorf("the scope is %q, want %q", got, tt.scope)
			}
			got, err := oauth.ParseRoleScope(tt.scope)
			wantProblem(t, err, "")
			if got != tt.role {
				t.Errorf("the role is %q, want %q", got, tt.role)
			}
		})
	}
}

func TestParseRoleScope(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, scope string }{
		{"VCD-22 nothing", ""},
		{"VCD-22 no prefix", "Deployer"},
		{"VCD-22 another prefix", "urn:vcloud:user:Deployer"},
		{"VCD-22 another namespace", "urn:acme:role:Deployer"},
		{"VCD-22 space before the prefix", " urn:vcloud:role:Deployer"},
		{"VCD-22 no name", "urn:vcloud:role:"},
		{"VCD-22 a name of spaces", "urn:vcloud:role:%20"},
		{"VCD-22 space after the name", "urn:vcloud:role:Deployer%20"},
		{"VCD-20 two roles", "urn:vcloud:role:Deployer urn:vcloud:role:Viewer"},
		{"VCD-20 two roles by tab", "urn:vcloud:role:Deployer\turn:vcloud:role:Viewer"},
		{"VCD-23 a space that is not encoded", "urn:vcloud:role:System Administrator"},
		{"VCD-23 a percent that encodes nothing", "urn:vcloud:role:100%"},
		{"VCD-23 encoded by half", "urn:vcloud:role:a%2"},
		{"VCD-23 not hexadecimal", "urn:vcloud:role:a%zz"},
		{"VCD-23 not UTF-8", "urn:vcloud:role:%ff%fe"},
		{"VCD-23 a control character", "urn:vcloud:role:a%00b"},
		{"VCD-23 a line break", "urn:vcloud:role:a%0Ab"},
		{"VCD-23 too long", "urn:vcloud:role:" + strings.Repeat("a", 129)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name, err := oauth.ParseRoleScope(tt.scope)
			wantProblem(t, err, problem.InvalidScope)
			if name != "" {
				t.Errorf("a refused scope names %q", name)
			}
		})
	}
}

// FuzzRoleScope: nothing that a client sends makes the parser panic or gives a
// name that cannot be one, and every name survives the way there and back.
func FuzzRoleScope(f *testing.F) {
	for _, s := range []string{
		"", "Deployer", "System Administrator", "100% a/b?c#d+e", "für 管理", "urn:vcloud:role:Deployer", "urn:vcloud:role:a%20b",
		"urn:vcloud:role:%", "urn:vcloud:role:%ff", "a\x00b", " a", "a\u00a0", "%2520", "\xff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if name, err := oauth.ParseRoleScope(s); err == nil {
			if !isName(name) {
				t.Errorf("%q was read as the name %q", s, name)
			}
			if !strings.HasPrefix(s, "urn:vcloud:role:") || strings.ContainsFunc(s, unicode.IsSpace) {
				t.Errorf("%q is not the scope of one role, and was read as %q", s, name)
			}
		} else {
			wantProblem(t, err, problem.InvalidScope)
		}
		if !isName(s) {
			return
		}
		back, err := oauth.ParseRoleScope(oauth.RoleScope(s))
		if err != nil || back != s {
			t.Errorf("%q came back as %q, %v", s, back, err)
		}
	})
}

// isName says what a role may be called: 1 to 255 bytes of text without control
// characters and without space around it.
func isName(s string) bool {
	return s != "" && len(s) <= 255 && utf8.ValidString(s) && strings.TrimSpace(s) == s && !strings.ContainsFunc(s, unicode.IsControl)
}
