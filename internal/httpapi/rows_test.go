package httpapi

import (
	"net/http/httptest"
	"slices"
	"testing"

	"causeway/internal/fiql"
	"causeway/internal/problem"
)

func TestListRows(t *testing.T) {
	fields := fiql.Fields{"name": {Column: "name", Kind: fiql.Text}, "size": {Column: "size", Kind: fiql.Text}}
	rows := [][2]string{{"b", "1"}, {"a", "2"}, {"c", "1"}, {"A", "2"}}
	show := func(row [2]string, selector string) string {
		if selector == "name" {
			return row[0]
		}
		return row[1]
	}
	for _, tt := range []struct {
		query string
		total int
		want  []string
	}{
		{"", 4, []string{"b", "a", "c", "A"}},
		{"sortAsc=name", 4, []string{"A", "a", "b", "c"}},
		{"sortDesc=name", 4, []string{"c", "b", "a", "A"}},
		{"sortAsc=size", 4, []string{"b", "c", "a", "A"}},
		{"filter=size==1&sortDesc=name", 2, []string{"c", "b"}},
		{"filter=size==1;name==b", 1, []string{"b"}},
		{"filter=name==x", 0, []string{}},
		{"pageSize=3", 4, []string{"b", "a", "c"}},
		{"pageSize=3&page=2", 4, []string{"A"}},
		{"pageSize=3&page=3", 4, []string{}},
		{"pageSize=100&page=1048576", 4, []string{}},
	} {
		p, err := ListRows(httptest.NewRequest("GET", "/x?"+tt.query, nil), fields, 100, rows, show)
		names := []string{}
		for _, row := range p.Values {
			names = append(names, row[0])
		}
		if err != nil || p.ResultTotal != tt.total || !slices.Equal(names, tt.want) || p.Values == nil {
			t.Errorf("%q: %v of %d, %v; want %v of %d", tt.query, names, p.ResultTotal, err, tt.want, tt.total)
		}
	}
	for _, query := range []string{"filter=name", "filter=other==x", "sortAsc=other", "page=0", "filter=name=gt=x", "filter=%"} {
		_, err := ListRows(httptest.NewRequest("GET", "/x?"+query, nil), fields, 100, rows, show)
		wantProblem(t, err, problem.BadRequest)
	}
	if rows[0][0] != "b" {
		t.Error("a sort changed the rows that everybody shares")
	}
}
