package fiql_test

import (
	"reflect"
	"strings"
	"testing"

	"causeway/internal/fiql"
	"causeway/internal/problem"
)

func is(selector, value string) fiql.Comparison {
	return fiql.Comparison{Selector: selector, Op: fiql.Equal, Value: value}
}

func TestParse(t *testing.T) {
	a, b, c, d := is("a", "1"), is("b", "2"), is("c", "3"), is("d", "4")
	for _, tt := range []struct {
		filter string
		want   fiql.Node
	}{
		// What clients send.
		{"id==urn:vcloud:role:734e3845-1573-4a07-bc6d-4d1d4a3a31a1", is("id", "urn:vcloud:role:734e3845-1573-4a07-bc6d-4d1d4a3a31a1")},
		{"name==Catalog: Add vApp from My Cloud", is("name", "Catalog: Add vApp from My Cloud")},
		{"(name==T;owner.name==U;(type==PROXY,type==REFRESH))", fiql.And{is("name", "T"), is("owner.name", "U"), fiql.Or{is("type", "PROXY"), is("type", "REFRESH")}}},
		{"timestamp=gt=2026-01-01T00:00:00.000Z", fiql.Comparison{Selector: "timestamp", Op: fiql.Greater, Value: "2026-01-01T00:00:00.000Z"}},
		{"orgName==a;name==b;org==https://h/api/org/1", fiql.And{is("orgName", "a"), is("name", "b"), is("org", "https://h/api/org/1")}},

		// And binds tighter than Or.
		{"a==1,b==2;c==3,d==4", fiql.Or{a, fiql.And{b, c}, d}},
		{"(a==1,b==2);(c==3,d==4)", fiql.And{fiql.Or{a, b}, fiql.Or{c, d}}},
		{"((a==1))", a},
		{"a==1;(b==2;c==3)", fiql.And{a, fiql.And{b, c}}},
		{"a==1,(b==2,c==3)", fiql.Or{a, fiql.Or{b, c}}},

		// Values are raw.
		{"a==", is("a", "")},
		{"a==;b==2", fiql.And{is("a", ""), b}},
		{"a== x = y ==z!", is("a", " x = y ==z!")},
		{"a==f(x;y,z)(w);b==2", fiql.And{is("a", "f(x;y,z)(w)"), b}},
		{"(a==f(x))", is("a", "f(x)")},
		{"a===gt=", is("a", "=gt=")},
		{"a==%25'\"\\ünï*", is("a", "%25'\"\\ünï*")},
		{"a=le=1;b=ge=2;c=lt=3;d!=4", fiql.And{
			fiql.Comparison{Selector: "a", Op: fiql.LessOrEqual, Value: "1"},
			fiql.Comparison{Selector: "b", Op: fiql.GreaterOrEqual, Value: "2"},
			fiql.Comparison{Selector: "c", Op: fiql.Less, Value: "3"},
			fiql.Comparison{Selector: "d", Op: fiql.NotEqual, Value: "4"},
		}},
		{"", fiql.And{}},
	} {
		got, err := fiql.Parse(tt.filter)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("Parse(%q)\n got %#v, %v\nwant %#v", tt.filter, got, err, tt.want)
			continue
		}
		if again, err := fiql.Parse(got.String()); err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("%q prints as %q, which is %#v, %v", tt.filter, got, again, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("(", n) + "a==1" + strings.Repeat(")", n) }
	many := func(n int) string { return strings.TrimSuffix(strings.Repeat("a==1;", n), ";") }
	beside := strings.TrimSuffix(strings.Repeat("(a==1),", 33), ",") // no deeper than one
	for _, filter := range []string{deep(32), many(64), beside, "a==" + strings.Repeat("x", 4093)} {
		if _, err := fiql.Parse(filter); err != nil {
			t.Errorf("%.20q… at the limit: %v", filter, err)
		}
	}
	for _, tt := range []struct{ filter, want string }{
		{"name", "character 5 there is no operator"},
		{"name=", "character 5 there is no operator"},
		{"name=eq=x", "character 5 there is no operator"},
		{"name<1", "character 5 there is no operator"},
		{"na me==1", "character 3 there is no operator"},
		{"==x", "character 1 there is no name"},
		{" name==x", "character 1 there is no name"},
		{"a==1;", "character 6 there is no name"},
		{",a==1", "character 1 there is no name"},
		{"a==1;;b==2", "character 6 there is no name"},
		{"()", "character 2 there is no name"},
		{"näme==1", "character 2 there is no operator"},
		{"(a==1", "character 1 there is a parenthesis that is not closed"},
		{"a==ü;(b==2", "character 6 there is a parenthesis that is not closed"},
		{"a==x(y;b==2", "character 5 there is a parenthesis that is not closed"},
		{"a==1)", "character 5 there is a closing parenthesis"},
		{"a==x)y", "character 5 there is a closing parenthesis"},
		{"(a==1)b==2", "character 7 there is a closing parenthesis"},
		{"a==x\x00", "character 5 there is a character"},
		{"a==\r\n", "character 4 there is a character"},
		{"a==\xff", "character 4 there is a character"},
		{deep(33), "character 33 there is more than 32"},
		{many(65), "character 321 there is one comparison more"},
		{"a==" + strings.Repeat("x", 4094), "longer than 4096"},
		{strings.Repeat("(", 4096), "more than 32"},
	} {
		n, err := fiql.Parse(tt.filter)
		if !problem.Has(err, problem.BadRequest) || !strings.Contains(problem.As(err).Detail, tt.want) || n != nil {
			t.Errorf("Parse(%.30q) = %v, %v; want %q", tt.filter, n, err, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "a==1", "id==urn:vcloud:role:x", "(name==T;owner.name==U;(type==PROXY,type==REFRESH))",
		"timestamp=gt=2026-01-01T00:00:00.000Z", "a==f(x;y)", "((a==1", "a==1)", "a!=*b*;n=le=3,c==true", "a==\xff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, filter string) {
		n, err := fiql.Parse(filter)
		if err != nil {
			if !problem.Has(err, problem.BadRequest) {
				t.Fatalf("Parse(%q): %v", filter, err)
			}
			return
		}
		again, err := fiql.Parse(n.String())
		if err != nil || !reflect.DeepEqual(again, n) {
			t.Fatalf("%q prints as %q, which is %#v, %v", filter, n, again, err)
		}
		sql, args, err := fiql.Compile(n, fields)
		if err != nil && !problem.Has(err, problem.BadRequest) {
			t.Fatalf("Compile(%q): %v", filter, err)
		}
		if strings.Count(sql, "?") != len(args) {
			t.Fatalf("%q has %d arguments", sql, len(args))
		}
	})
}
