package apps

import (
	"slices"
	"testing"
	"time"

	"causeway/services"
)

const (
	service  = services.DefinitionID("7c3ad6f2-52a5-4d4e-9a43-1c6e3b0f5a90")
	instance = "11111111-2222-4333-8444-555555555555"
)

func grant(role, resource string) services.Grant {
	return services.Grant{Kind: services.GrantService, Definition: service, Role: role, Resource: resource}
}

func TestKey(t *testing.T) {
	for _, g := range []services.Grant{
		grant("aoa:metrics", ""), grant("aoa:metrics", instance), grant("with/slash", instance), grant(anyRole, ""),
		{Kind: services.GrantOrganization, Role: "org_member"}, {Kind: services.GrantCustom, Role: "reader"},
	} {
		if got, err := parseKey(key(g)); err != nil || got != g {
			t.Errorf("%s is read as %+v, %v", key(g), got, err)
		}
	}
	for _, text := range []string{
		"", "o", "o/", "x/y", "s/" + string(service), "s/" + string(service) + "/*", "s/" + string(service) + "/*/",
		"s/none/*/aoa:metrics", "s/" + string(service) + "/none/aoa:metrics", "s/" + string(service) + "//aoa:metrics", "o/a\x00b",
	} {
		if g, err := parseKey(text); err == nil {
			t.Errorf("%q is taken for %+v", text, g)
		}
	}
}

// FuzzParseKey: what is read is what is meant, and is written the same.
func FuzzParseKey(f *testing.F) {
	f.Add("o/org_member")
	f.Add("s/" + string(service) + "/*/aoa:metrics")
	f.Add("s/" + string(service) + "/" + instance + "/aoa:metrics")
	f.Fuzz(func(t *testing.T, text string) {
		g, err := parseKey(text)
		if err != nil {
			return
		}
		if again, err := parseKey(key(g)); err != nil || again != g {
			t.Fatalf("%q is %+v, and written as %q is %+v, %v", text, g, key(g), again, err)
		}
	})
}

func TestDifference(t *testing.T) {
	everywhere, here, alerts := grant("aoa:metrics", ""), grant("aoa:metrics", instance), grant("aoa:alerts", "")
	hereTimed := here
	hereTimed.ExpiresAt = time.Unix(5000, 0)
	until := time.Unix(9000, 0)
	alertsTimed := alerts
	alertsTimed.ExpiresAt = until
	for _, tt := range []struct {
		name              string
		had, chosen, held []services.Grant
		until             time.Time
		add, remove       []services.Grant
	}{
		{name: "nothing", had: []services.Grant{alerts}, chosen: []services.Grant{alerts}, held: []services.Grant{alerts}},
		{name: "one more, for a time", had: []services.Grant{here}, chosen: []services.Grant{here, alerts}, held: []services.Grant{here}, until: until, add: []services.Grant{alertsTimed}},
		{name: "what others added meanwhile stays", had: nil, chosen: nil, held: []services.Grant{alerts}},
		{
			name: "from everywhere but here, which ends when it did", had: []services.Grant{everywhere, here}, chosen: []services.Grant{here},
			held: []services.Grant{everywhere, hereTimed}, add: []services.Grant{hereTimed}, remove: []services.Grant{everywhere},
		},
		{name: "from everywhere and here", had: []services.Grant{everywhere, here}, held: []services.Grant{everywhere, here}, remove: []services.Grant{everywhere, here}},
	} {
		c := difference(tt.had, tt.chosen, tt.held, tt.until)
		if !slices.Equal(c.Add, tt.add) || !slices.Equal(c.Remove, tt.remove) || c.Update != nil {
			t.Errorf("%s: %+v", tt.name, c)
		}
	}
}

func TestCeiling(t *testing.T) {
	all := []services.Grant{
		{Kind: services.GrantOrganization, Role: anyRole}, {Kind: services.GrantOrganization, Role: "org_member"},
		grant(anyRole, ""), grant("aoa:metrics", ""), grant("aoa:alerts", instance),
	}
	if got := bounds(ceiling(all)); !slices.Equal(got, all) {
		t.Errorf("%+v", got)
	}
	if c := ceiling([]services.Grant{{Kind: services.GrantCustom, Role: "reader"}}); !c.Within(services.Ceiling{}) {
		t.Errorf("a custom role widens bounds: %+v", c)
	}
}

func TestFileName(t *testing.T) {
	for name, want := range map[string]string{"Metrics shipper": "metrics-shipper-credentials.json", "../../x": "x-credentials.json", "ÄÖ": "credentials.json"} {
		if got := fileName(name); got != want {
			t.Errorf("%q is kept as %q", name, got)
		}
	}
}

func TestEverything(t *testing.T) {
	c := catalog{definitions: []services.Definition{{ID: service, Name: "S", Roles: []services.ServiceRole{{Name: "a"}, {Name: "b"}}}}}
	if got := c.everything([]services.Grant{grant("a", "")}); got != nil {
		t.Errorf("one of two is all: %v", got)
	}
	if got := c.everything([]services.Grant{grant("a", ""), grant("b", instance)}); !slices.Equal(got, []string{"S"}) {
		t.Errorf("both are not all: %v", got)
	}
}
