package ui

import (
	"cmp"
	"slices"
	"strings"
)

// Rows is the page of a list that is in memory, and counts it: what was typed is in
// one of the searched fields, in whatever case, and each filter's choice is the
// field's value. show is a row's value of a field as people see it. Without a sort
// the order of rows stays.
func Rows[T any](l *List, rows []T, show func(row T, selector string) string) []T {
	var found []T
	for _, row := range rows {
		value := func(selector string) string { return show(row, selector) }
		if l.chosen(value) && l.searched(value) {
			found = append(found, row)
		}
	}
	if by, desc := l.sorted(); by != "" {
		slices.SortStableFunc(found, func(a, b T) int {
			if desc {
				a, b = b, a
			}
			x, y := show(a, by), show(b, by)
			return cmp.Or(strings.Compare(strings.ToLower(x), strings.ToLower(y)), strings.Compare(x, y))
		})
	}
	l.Total = len(found)
	from := min((l.Query.Page-1)*l.Query.PageSize, len(found))
	return found[from:min(from+l.Query.PageSize, len(found))]
}

func (l *List) chosen(value func(string) string) bool {
	for _, f := range l.Of.Filters {
		if want := l.given.Get(f.Selector); want != "" && value(f.Selector) != want {
			return false
		}
	}
	return true
}

func (l *List) searched(value func(string) string) bool {
	if l.Search == "" || len(l.Of.Search) == 0 {
		return true
	}
	words := strings.ToLower(l.Search)
	return slices.ContainsFunc(l.Of.Search, func(selector string) bool {
		return strings.Contains(strings.ToLower(value(selector)), words)
	})
}
