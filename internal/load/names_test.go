package load

import "testing"

func TestNamesSayTheirNumber(t *testing.T) {
	seen := map[string]bool{}
	for n := 1; n <= MaxOrganizations; n++ {
		name := organizationName(n)
		if got, ours := organizationNumber(name); !ours || got != n || seen[name] {
			t.Fatalf("%d is %q, which is %d, %v", n, name, got, ours)
		}
		seen[name] = true
	}
	logins := map[string]bool{}
	for n := range MaxUsers {
		login, _ := person(n)
		if logins[login] {
			t.Fatalf("there are two of %s", login)
		}
		logins[login] = true
	}
}

// Whoever names an organization must not make a load stumble, or take it for one
// of its own.
func FuzzOrganizationNumber(f *testing.F) {
	for _, name := range []string{"", "-", "acme", organizationName(7), organizationName(0), "a--1", "x-+5", "x-99999999999999999999", "x-9223372036854775807", "x-٣"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if n, ours := organizationNumber(name); ours && (n < 1 || organizationName(n) != name) {
			t.Errorf("%q is taken for number %d", name, n)
		}
	})
}
