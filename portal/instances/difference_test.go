package instances

import (
	"reflect"
	"strings"
	"testing"

	"causeway/services"
)

var plainly = words{"-", "*", "people"}

const base = `
name: Inventory
prefix: inv
permissions:
  - {name: "inv:read", displayName: Read}
  - {name: "inv:write"}
roles:
  - {name: "inv:reader", permissions: ["inv:read"]}
  - {name: "inv:all", all: true}
routes:
  - {methods: [GET], path: "/things/{id}", permission: "inv:read"}
  - {methods: [GET, PUT], path: "/things", permission: "inv:write"}
`

func parse(t *testing.T, text string) services.Definition {
	t.Helper()
	d, err := services.ParseDefinition([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestCompare(t *testing.T) {
	readRoute, writeRoute := strings.Split(base, "\n")[10]+"\n", strings.Split(base, "\n")[11]+"\n"
	for name, tt := range map[string]struct {
		old, new string
		want     difference
	}{
		"nothing":                   {"", "", difference{}},
		"its name":                  {"name: Inventory", "name: Stock", difference{Facts: []change{{"name", "Inventory", "Stock"}}}},
		"a description":             {"prefix: inv", "prefix: inv\ndescription: New.", difference{Facts: []change{{"description", "-", "New."}}}},
		"a permission that is told": {"displayName: Read", "displayName: Look", difference{Permissions: []change{{"inv:read", "Read", "Look"}}}},
		"a role that goes": {
			`  - {name: "inv:all", all: true}`, "", difference{Roles: []change{{"inv:all", "*", ""}}},
		},
		"a role that permits more": {
			`permissions: ["inv:read"]`, `permissions: ["inv:write", "inv:read"]`,
			difference{Roles: []change{{"inv:reader", "inv:read", "inv:read, inv:write"}}},
		},
		"a role renamed": {
			`"inv:all"`, `"inv:every"`, difference{Roles: []change{{"inv:all", "*", ""}, {"inv:every", "", "*"}}},
		},
		"what a route needs": {
			`"/things/{id}", permission: "inv:read"`, `"/things/{id}", permission: "inv:read", people: true`,
			difference{Routes: []change{{"GET /things/{id}", "inv:read", "inv:read · people"}}},
		},
		"methods in another order": {"[GET, PUT]", "[PUT, GET]", difference{}},
		"routes in another order":  {readRoute + writeRoute, writeRoute + readRoute, difference{Reordered: true}},
		"a route before others":    {readRoute, readRoute + `  - {methods: [GET], path: "/new", people: true}` + "\n", difference{Routes: []change{{"GET /new", "", "people"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(base, tt.old) {
				t.Fatalf("the definition does not have %q", tt.old)
			}
			got := plainly.compare(parse(t, base), parse(t, strings.Replace(base, tt.old, tt.new, 1)))
			if !reflect.DeepEqual(got, tt.want) || got.None() != reflect.DeepEqual(tt.want, difference{}) {
				t.Errorf("got %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// What can be downloaded reads as the same definition.
func TestWrite(t *testing.T) {
	builtIn, err := services.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	odd := parse(t, base)
	odd.Description = "Two lines: \"quoted\" & # no comment\n- and a list? no"
	odd.Permissions[0].Description = "yes"
	for _, d := range append(builtIn, odd) {
		text, err := write(d)
		if err != nil {
			t.Fatal(err)
		}
		again, err := services.ParseDefinition(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		again.BuiltIn = d.BuiltIn
		if diff := plainly.compare(d, again); !diff.None() || again.ID != d.ID || again.Version != d.Version || len(again.Routes) != len(d.Routes) {
			t.Errorf("%s reads as another: %+v\n%s", d.Name, diff, text)
		}
	}
}

func TestNear(t *testing.T) {
	text := "name: a\nprefix: b\nrule: c\nroles: []"
	_, err := services.ParseDefinition([]byte(text))
	want := []nearLine{{1, "name: a", false}, {2, "prefix: b", false}, {3, "rule: c", true}, {4, "roles: []", false}}
	if got := near(text, err); !reflect.DeepEqual(got, want) {
		t.Errorf("near %v: %+v", err, got)
	}
	if got := near("x", services.Misread{Line: 9}); len(got) != 0 {
		t.Errorf("behind the end: %+v", got)
	}
}
