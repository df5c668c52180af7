package ui

import (
	"net/url"
	"slices"
	"testing"

	"causeway/internal/fiql"
	"causeway/tenants"
)

func TestRows(t *testing.T) {
	type row struct{ name, kind string }
	rows := []row{{"beta", "x"}, {"Alpha", "y"}, {"gamma", "x"}, {"Alphabet", "x"}}
	show := func(r row, selector string) string {
		if selector == "name" {
			return r.name
		}
		return r.kind
	}
	for _, tt := range []struct {
		search, given string
		page, size    int
		total         int
		want          []string
	}{
		{"", "", 1, 25, 4, []string{"beta", "Alpha", "gamma", "Alphabet"}},
		{"", "sort=name", 1, 25, 4, []string{"Alpha", "Alphabet", "beta", "gamma"}},
		{"", "sort=-name", 1, 25, 4, []string{"gamma", "beta", "Alphabet", "Alpha"}},
		{"ALPHA", "", 1, 25, 2, []string{"Alpha", "Alphabet"}},
		{"alpha", "kind=x", 1, 25, 1, []string{"Alphabet"}},
		{"", "kind=z", 1, 25, 0, nil},
		{"", "sort=name", 2, 3, 4, []string{"gamma"}},
		{"", "", 9, 25, 4, nil},
	} {
		given, err := url.ParseQuery(tt.given)
		if err != nil {
			t.Fatal(err)
		}
		l := &List{
			Of:     ListOf{Fields: fiql.Fields{}, Search: []string{"name"}, Filters: []Filter{{Selector: "kind"}}},
			Search: tt.search, given: given, Query: tenants.Query{Page: tt.page, PageSize: tt.size},
		}
		var names []string
		for _, r := range Rows(l, rows, show) {
			names = append(names, r.name)
		}
		if !slices.Equal(names, tt.want) || l.Total != tt.total {
			t.Errorf("%q %q page %d: %v of %d, want %v of %d", tt.search, tt.given, tt.page, names, l.Total, tt.want, tt.total)
		}
	}
	if rows[0].name != "beta" {
		t.Error("a sort changed the rows that everybody shares")
	}
}

// TestLongLists: of a list that goes on, people page through its beginning.
func TestLongLists(t *testing.T) {
	for _, tt := range []struct {
		total, pages, last int
		more               bool
	}{{0, 0, 0, false}, {999, 40, 999, false}, {1000, 40, 1000, false}, {1001, 40, 1000, true}} {
		l := &List{Total: tt.total, Query: tenants.Query{Page: 40, PageSize: pageSize}}
		if l.Pages() != tt.pages || l.Last() != tt.last || l.More() != tt.more || l.Next() != "" {
			t.Errorf("%d rows: %d pages up to %d, more %v, next %q", tt.total, l.Pages(), l.Last(), l.More(), l.Next())
		}
	}
}
