package fiql_test

import (
	"reflect"
	"regexp"
	"strings"
	"testing"

	"causeway/internal/fiql"
	"causeway/internal/problem"
)

const uuid1 = "734e3845-1573-4a07-bc6d-4d1d4a3a31a1"

// fields has one of each kind; the selectors differ from the columns, so that a
// test notices one taken for the other.
var fields = fiql.Fields{
	"name":       {Column: "t_name", Kind: fiql.Text},
	"owner.name": {Column: "t_owner", Kind: fiql.Text},
	"id":         {Column: "t_id", Kind: fiql.URN, URN: "role"},
	"size":       {Column: "t_size", Kind: fiql.Int},
	"timestamp":  {Column: "t_at", Kind: fiql.Time},
	"enabled":    {Column: "t_enabled", Kind: fiql.Bool},
}

func mustParse(t *testing.T, filter string) fiql.Node {
	t.Helper()
	n, err := fiql.Parse(filter)
	if err != nil {
		t.Fatalf("Parse(%q): %v", filter, err)
	}
	return n
}

func TestCompile(t *testing.T) {
	for _, tt := range []struct {
		filter, want string
		args         []any
	}{
		{"", "1 = 1", nil},
		{"name==X", "t_name = ?", []any{"X"}},
		{"name!=X", "(t_name IS NULL OR NOT t_name = ?)", []any{"X"}},
		{"name==X;(owner.name==Y,enabled==true)", "(t_name = ? AND (t_owner = ? OR t_enabled = ?))", []any{"X", "Y", true}},
		{"id==urn:vcloud:role:" + strings.ToUpper(uuid1), "t_id = ?", []any{uuid1}},
		{"id==" + uuid1, "t_id = ?", []any{uuid1}},
		{"size=ge=-7", "t_size >= CAST(? AS BIGINT)", []any{int64(-7)}},
		{"timestamp=gt=2026-01-01T00:00:00.000Z", "t_at > CAST(? AS BIGINT)", []any{int64(1767225600000999)}},
		{"timestamp=ge=2026-01-01T01:00:00+01:00", "t_at >= CAST(? AS BIGINT)", []any{int64(1767225600000000)}},
		{"timestamp=gt=2026-01-01T00:00:00.000001Z", "t_at > CAST(? AS BIGINT)", []any{int64(1767225600000001)}},
		{"name==*", "(t_name IS NOT NULL)", nil},
		{"name==ä*", "(t_name IS NOT NULL AND length(t_name) >= ? AND substr(t_name, 1, ?) = ?)", []any{1, 1, "ä"}},
		{"name==**x**", "(t_name IS NOT NULL AND replace(t_name, ?, '') <> t_name)", []any{"x"}},
	} {
		sql, args, err := fiql.Compile(mustParse(t, tt.filter), fields)
		if err != nil || sql != tt.want || !reflect.DeepEqual(args, tt.args) {
			t.Errorf("%q\n got %s %#v, %v\nwant %s %#v", tt.filter, sql, args, err, tt.want, tt.args)
		}
	}
	if sql, _ := (fiql.Filter{}).SQL(); sql != "1 = 1" || !(fiql.Filter{}).Match(nil) {
		t.Errorf("no filter at all is %q", sql)
	}
	if sql, _, err := fiql.Compile(nil, fields); sql != "1 = 1" || err != nil {
		t.Errorf("no node at all is %q, %v", sql, err)
	}
}

// TestNoClientTextInSQL: whatever is asked, the statement consists of our words.
func TestNoClientTextInSQL(t *testing.T) {
	ours := regexp.MustCompile(`^(t_[a-z]+|IS|NOT|NULL|AND|OR|BETWEEN|CASE|WHEN|THEN|ELSE|END|CAST|AS|BIGINT|length|substr|replace|''|[ (),?=<>-]|[01]\b)+$`)
	for _, value := range []string{"'", "' OR 1=1 --", `\`, "%", "_", "?", "$1", "@name", ":x", "a*'*b", "*?*", "0x00", "'(; DROP TABLE t) --"} {
		for _, op := range []string{"==", "!="} {
			sql, _, err := fiql.Compile(mustParse(t, "name"+op+value+";owner.name==x"), fields)
			if err != nil || !ours.MatchString(sql) {
				t.Errorf("%q: %s, %v", value, sql, err)
			}
		}
	}
}

func TestBindRefuses(t *testing.T) {
	for _, tt := range []struct{ filter, want string }{
		{"secret==x", "cannot be filtered by secret"},
		{"Name==x", "cannot be filtered by Name"},
		{"t_name==x", "cannot be filtered by t_name"},
		{"name==x;(size==1,secret==x)", "cannot be filtered by secret"},
		{"name=gt=x", "name allows == and !="},
		{"id=lt=" + uuid1, "id allows == and !="},
		{"enabled=ge=true", "enabled allows == and !="},
		{"name==a*b*c*d", "more than one text between wildcards"},
		{"id==x", "id needs an identifier such as urn:vcloud:role:"},
		{"id==urn:vcloud:org:" + uuid1, "id needs"},
		{"id==urn:vcloud:role:{" + uuid1 + "}", "id needs"},
		{"id==" + strings.ReplaceAll(uuid1, "-", ""), "id needs"},
		{"id==*", "id needs"},
		{"size==", "size needs a whole number"},
		{"size==1.5", "size needs"},
		{"size==9223372036854775808", "size needs"},
		{"size==1*", "size needs"},
		{"timestamp=gt=yesterday", "timestamp needs a time"},
		{"timestamp=gt=2026-01-01", "timestamp needs"},
		{"enabled==1", "enabled needs true or false"},
		{"enabled==TRUE", "enabled needs"},
	} {
		sql, args, err := fiql.Compile(mustParse(t, tt.filter), fields)
		if !problem.Has(err, problem.BadRequest) || !strings.Contains(problem.As(err).Detail, tt.want) || sql != "" || args != nil {
			t.Errorf("%q: %q, %v; want %q", tt.filter, sql, err, tt.want)
		}
	}
}

func TestMatchPattern(t *testing.T) {
	for _, tt := range []struct {
		value string
		yes   []string
		no    []string
	}{
		{"ab", []string{"ab"}, []string{"", "a", "abc", "AB", "xab"}},
		{"", []string{""}, []string{"a"}},
		{"*", []string{"", "a", "*"}, nil},
		{"a*", []string{"a", "ab", "a*"}, []string{"", "A", "ba"}},
		{"*a", []string{"a", "ba"}, []string{"", "A", "ab"}},
		{"a*a", []string{"aa", "aba"}, []string{"a", "ab"}},
		{"*b*", []string{"b", "abc"}, []string{"", "B", "ac"}},
		{"a*b*c", []string{"abc", "axbxc"}, []string{"ac", "aBc", "abcx"}},
		{"ab*b*bc", []string{"abbbc", "abxbxbc"}, []string{"abc", "abbc"}},
		{"%_*", []string{"%_", "%_x"}, []string{"ab", "%a"}},
	} {
		f, err := fields.Bind(mustParse(t, "name=="+tt.value))
		if err != nil {
			t.Fatal(err)
		}
		matches := func(name string) bool {
			return f.Match(func(string) (string, bool) { return name, true })
		}
		for _, name := range tt.yes {
			if !matches(name) {
				t.Errorf("%q does not match %q", tt.value, name)
			}
		}
		for _, name := range tt.no {
			if matches(name) {
				t.Errorf("%q matches %q", tt.value, name)
			}
		}
		if f.Match(func(string) (string, bool) { return "", false }) {
			t.Errorf("%q matches what is absent", tt.value)
		}
	}
}
