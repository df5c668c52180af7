package tenants

import "testing"

// The shipped catalog lists all that a right implies in one level; another may
// not, or may go round in a circle.
func TestCatalog_ClosureGoesOn(t *testing.T) {
	t.Parallel()
	c := &catalog{byName: map[Right]int{}, byID: map[string]int{}}
	c.add("Letters", RightInfo{Name: "d"})
	c.add("Letters", RightInfo{Name: "a", Implies: []Right{"b", "unknown"}})
	c.add("Letters", RightInfo{Name: "b", Implies: []Right{"c"}})
	c.add("Letters", RightInfo{Name: "c", Implies: []Right{"a"}})
	c.close()
	circle := RightSet{0b1110}
	for i, want := range []RightSet{{0b0001}, circle, circle, circle} {
		if c.closures[i] != want {
			t.Errorf("%q implies %b, want %b", c.rights[i].Name, c.closures[i][0], want[0])
		}
	}
}

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
