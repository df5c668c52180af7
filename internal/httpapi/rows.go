package httpapi

import (
	"cmp"
	"net/http"
	"slices"

	"causeway/internal/fiql"
	"causeway/tenants"
)

// ListRows is ParseList for a list that is in memory: it filters, sorts and cuts
// out the page that r asks for. Each field's Column is its selector; show gives a
// row's value of it as clients see it. Without a sort the order of rows stays.
func ListRows[T any](r *http.Request, fields fiql.Fields, max int, rows []T, show func(row T, selector string) string) (Page[T], error) {
	q, err := ParseList(r, fields, max)
	if err != nil {
		return Page[T]{}, err
	}
	filter, err := boundFilter(r, fields)
	if err != nil {
		return Page[T]{}, err
	}
	var found []T
	for _, row := range rows {
		if filter.Match(func(selector string) (string, bool) { return show(row, selector), true }) {
			found = append(found, row)
		}
	}
	if q.SortBy != "" {
		sortRows(found, q, show)
	}
	from := min((q.Page-1)*q.PageSize, len(found))
	values := found[from:min(from+q.PageSize, len(found))]
	return NewPage(values, len(found), q.Page, q.PageSize), nil
}

func boundFilter(r *http.Request, fields fiql.Fields) (fiql.Filter, error) {
	query, err := ParseQuery(r.URL.RawQuery)
	if err != nil {
		return fiql.Filter{}, err
	}
	node, err := fiql.Parse(query.Get("filter"))
	if err != nil {
		return fiql.Filter{}, err
	}
	return fields.Bind(node)
}

func sortRows[T any](rows []T, q tenants.Query, show func(T, string) string) {
	slices.SortStableFunc(rows, func(a, b T) int {
		if q.Desc {
			a, b = b, a
		}
		return cmp.Compare(show(a, q.SortBy), show(b, q.SortBy))
	})
}
