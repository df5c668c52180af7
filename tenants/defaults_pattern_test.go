package tenants

import "testing"

func TestDefaults_Patterns(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "vApp: View ACL", true},
		{"vApp: View ACL", "vApp: View ACL", true},
		{"vApp: View", "vApp: View ACL", false},
		{"vApp: View *", "vApp: View ACL", true},
		{"vApp: View *", "My vApp: View ACL", false},
		{"*: View", "Organization: View", true},
		{"*: View", "Organization: View metrics", false},
		{"Role*: View", "Role: View", true},
		{"ab*ba", "aba", false},
	} {
		if got := matches(tt.pattern, tt.name); got != tt.want {
			t.Errorf("%q matches %q: %v", tt.pattern, tt.name, got)
		}
	}
}
