package tenants_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/tenants"
)

const (
	lower = "734e3845-1573-4f07-9b6c-b493c9042187"
	upper = "734E3845-1573-4F07-9B6C-B493C9042187"
)

func TestParseID(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		want     tenants.RoleID // empty: refused
	}{
		{"bare", lower, lower},
		{"bare, upper case", upper, lower},
		{"URN", "urn:vcloud:role:" + lower, lower},
		{"URN, upper-case UUID", "urn:vcloud:role:" + upper, lower},
		{"another kind", "urn:vcloud:org:" + lower, ""},
		{"another namespace", "urn:acme:role:" + lower, ""},
		{"the UUID namespace", "urn:uuid:" + lower, ""},
		{"a URN in upper case", "URN:VCLOUD:ROLE:" + lower, ""},
		{"a URN in a URN", "urn:vcloud:role:urn:vcloud:role:" + lower, ""},
		{"a URN without a UUID", "urn:vcloud:role:", ""},
		{"in braces", "{" + lower + "}", ""},
		{"without dashes", strings.ReplaceAll(lower, "-", ""), ""},
		{"one digit short", lower[:35], ""},
		{"one digit more", lower + "0", ""},
		{"not hexadecimal", "g" + lower[1:], ""},
		{"dashes elsewhere", "734e38451-573-4f07-9b6c-b493c9042187", ""},
		{"a name", "Deployer", ""},
		{"nothing", "", ""},
		{"urn:", "urn:", ""},
		{"space", " " + lower, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tenants.ParseID[tenants.RoleID]("role", tt.in)
			if got != tt.want {
				t.Errorf("read as %q, want %q", got, tt.want)
			}
			if tt.want == "" {
				wantProblem(t, err, problem.BadRequest)
			} else {
				wantProblem(t, err, "")
			}
		})
	}
}

func TestURN(t *testing.T) {
	t.Parallel()
	id := tenants.RoleID(lower)
	urn := tenants.URN("role", id)
	if urn != "urn:vcloud:role:"+lower {
		t.Errorf("the URN is %s", urn)
	}
	if back, err := tenants.ParseID[tenants.RoleID]("role", urn); err != nil || back != id {
		t.Errorf("it comes back as %q, %v", back, err)
	}
}

func TestNewID(t *testing.T) {
	t.Parallel()
	one, two := tenants.NewID(), tenants.NewID()
	v4 := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	if !v4.MatchString(one) || one == two {
		t.Errorf("%s and %s are not two random lower-case UUIDs", one, two)
	}
}

func TestNewSessionID(t *testing.T) {
	t.Parallel()
	v7 := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	begin := time.Date(2026, 11, 21, 18, 0, 0, 123_000_000, time.UTC)
	one, two := tenants.NewSessionID(begin), tenants.NewSessionID(begin)
	if !v7.MatchString(string(one)) || one[:13] != two[:13] || one == two {
		t.Errorf("%s and %s are not two random UUIDs of one time", one, two)
	}
	if got := tenants.NewSessionID(time.UnixMilli(0x017F22E279B0)); got[:15] != "017f22e2-79b0-7" { // RFC 9562 appendix A.6
		t.Errorf("a session of the RFC's moment is %s", got)
	}
	for _, apart := range []time.Duration{time.Millisecond, time.Minute, 50 * 365 * 24 * time.Hour} {
		later := begin.Add(apart)
		if first := tenants.FirstSessionID(later); tenants.NewSessionID(begin) >= first || first >= tenants.NewSessionID(later) {
			t.Errorf("%s is not between the sessions of two moments %v apart", first, apart)
		}
	}
	if id := tenants.NewSessionID(time.Time{}); id[:13] != "00000000-0000" {
		t.Errorf("before there was time: %s", id)
	}
}

func TestParseLocationID(t *testing.T) {
	t.Parallel()
	want := tenants.LocationID{Org: lower, Site: "11111111-1111-4111-8111-111111111111"}
	for _, tt := range []struct {
		name, in string
		ok       bool
	}{
		{"org@site", string(want.Org) + "@" + string(want.Site), true},
		{"upper case", upper + "@" + string(want.Site), true},
		{"an organization's name with an @", "sales@acme", false},
		{"a name at a site", "acme@" + lower, false},
		{"an id at a name", lower + "@east", false},
		{"no site", lower + "@", false},
		{"no organization", "@" + lower, false},
		{"no @", lower, false},
		{"two @", lower + "@" + lower + "@" + lower, false},
		{"URNs", "urn:vcloud:org:" + lower + "@urn:vcloud:site:" + lower, false},
		{"space", lower + " @ " + lower, false},
		{"nothing", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := tenants.ParseLocationID(tt.in)
			if ok != tt.ok || ok && got != want || !ok && got != (tenants.LocationID{}) {
				t.Errorf("read as %+v, %v", got, ok)
			}
			if ok && got.String() != string(want.Org)+"@"+string(want.Site) {
				t.Errorf("written as %s", got)
			}
		})
	}
}

func TestFoldName(t *testing.T) {
	t.Parallel()
	for _, same := range [][2]string{{"Acme", "ACME"}, {"acme", "Acme"}, {"System", "sYSTEM"}, {"Köln", "KÖLN"}, {"a b", "A B"}, {"", ""}} {
		if tenants.FoldName(same[0]) != tenants.FoldName(same[1]) {
			t.Errorf("%q and %q are told apart", same[0], same[1])
		}
	}
	for _, different := range [][2]string{{"acme", "acme "}, {"acme", "acmé"}, {"a-b", "a_b"}, {"ab", "a b"}} {
		if tenants.FoldName(different[0]) == tenants.FoldName(different[1]) {
			t.Errorf("%q and %q are not told apart", different[0], different[1])
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", lower, upper, "urn:vcloud:org:" + lower, lower + "@" + lower, "a@b", "{" + lower + "}", "urn:uuid:" + lower, "\xff@\xff"} {
		f.Add(s)
	}
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := tenants.ParseUUID(s); err == nil && (!uuid.MatchString(id) || !strings.EqualFold(id, s)) {
			t.Errorf("%q is read as the UUID %q", s, id)
		}
		if id, err := tenants.ParseID[tenants.OrgID]("org", s); err == nil {
			bare := strings.TrimPrefix(s, "urn:vcloud:org:")
			if !uuid.MatchString(string(id)) || !strings.EqualFold(string(id), bare) {
				t.Errorf("%q is read as the id %q", s, id)
			}
		} else if id != "" {
			t.Errorf("%q is refused and read as %q", s, id)
		}
		if l, ok := tenants.ParseLocationID(s); ok {
			if !strings.EqualFold(l.String(), s) || !uuid.MatchString(string(l.Org)) || !uuid.MatchString(string(l.Site)) {
				t.Errorf("%q is read as the place %s", s, l)
			}
		}
		if once := tenants.FoldName(s); tenants.FoldName(once) != once {
			t.Errorf("%q folds to %q, and that to %q", s, once, tenants.FoldName(once))
		}
	})
}
