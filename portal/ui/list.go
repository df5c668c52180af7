package ui

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"causeway/internal/fiql"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/tenants"
)

// ListOf says how a list can be searched, filtered and sorted. Selectors are those
// of Fields.
type ListOf struct {
	Fields  fiql.Fields
	Search  []string // selectors that contain what is typed; empty offers no search
	Filters []Filter
	Sort    string // a list begins with; empty is the store's order
	Desc    bool
}

// Filter offers a choice of values of a field, or without Options takes what is typed:
// the whole value, in which * stands for any text.
type Filter struct {
	Selector, Label string
	Options         []Option
	Value           string // that is chosen
}

// List is one page of a list, for the parts "list-tools", "th" and "pager". However
// long it is, people page through its first thousand rows, so that a page costs the
// same; for others they search.
type List struct {
	Of          ListOf
	Query       tenants.Query
	Total       int // more than most if there are rows beyond
	Search      string
	SearchLabel string
	given       url.Values
	path        string
}

const (
	pageSize  = 25
	most      = 1000
	maxSearch = 200 // characters
)

// List reads from the address which page of a list is wanted.
func (s *Screen) List(of ListOf) (*List, error) {
	given, err := httpapi.ParseQuery(s.Request.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	page, _, err := httpapi.PageAndSize(url.Values{"page": given["page"]}, pageSize)
	if err != nil {
		return nil, err
	}
	l := &List{Of: of, given: given, path: s.Request.URL.EscapedPath(), Query: tenants.Query{Page: page, PageSize: pageSize, Most: most}}
	if err := l.sort(); err != nil {
		return nil, err
	}
	var all fiql.And
	if l.Search = strings.TrimSpace(given.Get("q")); l.Search != "" && len(of.Search) > 0 {
		if len(l.Search) > maxSearch {
			return nil, problem.New(problem.BadRequest, "What is searched for is longer than %d bytes.", maxSearch)
		}
		var any fiql.Or
		for _, selector := range of.Search {
			any = append(any, fiql.Comparison{Selector: selector, Op: fiql.Equal, Value: "*" + l.Search + "*"})
		}
		all = append(all, any)
	}
	for i, f := range of.Filters {
		value := strings.TrimSpace(given.Get(f.Selector))
		if len(value) > maxSearch {
			return nil, problem.New(problem.BadRequest, "What is filtered by is longer than %d bytes.", maxSearch)
		}
		of.Filters[i].Value = value
		of.Filters[i].Options = slices.Clone(f.Options)
		for j := range f.Options {
			of.Filters[i].Options[j].Chosen = f.Options[j].Value == value
		}
		if value != "" {
			all = append(all, fiql.Comparison{Selector: f.Selector, Op: fiql.Equal, Value: value})
		}
	}
	if len(all) == 0 {
		return l, nil
	}
	l.Query.Where, l.Query.Args, err = fiql.Compile(all, of.Fields)
	return l, err
}

func (l *List) sort() error {
	by, desc := l.sorted()
	if by == "" {
		return nil
	}
	field, ok := l.Of.Fields[by]
	if !ok || by == "id" {
		return problem.New(problem.BadRequest, "The list cannot be sorted like this.")
	}
	l.Query.SortBy, l.Query.Desc = field.Column, desc
	return nil
}

func (l *List) sorted() (by string, desc bool) {
	if given := l.given.Get("sort"); given != "" {
		by, desc := strings.CutPrefix(given, "-")
		return by, desc
	}
	return l.Of.Sort, l.Of.Desc
}

// Narrowed reports whether a search or filter leaves something out.
func (l *List) Narrowed() bool { return l.Query.Where != "" }

// Clear is the list without search and filters.
func (l *List) Clear() string { return l.path }

// Known is how many rows there are to page through, and More whether there are others.
func (l *List) Known() int { return min(l.Total, most) }
func (l *List) More() bool { return l.Total > most }

// First and Last are the places in the whole list of what the page shows.
func (l *List) First() int {
	if l.Total == 0 {
		return 0
	}
	return (l.Query.Page-1)*l.Query.PageSize + 1
}
func (l *List) Last() int { return min(l.Query.Page*l.Query.PageSize, l.Known()) }

// Pages is how many there are.
func (l *List) Pages() int { return (l.Known() + l.Query.PageSize - 1) / l.Query.PageSize }

// Beyond reports whether the page is behind the end of the list.
func (l *List) Beyond() bool { return l.Total > 0 && l.Query.Page > l.Pages() }

// Previous and Next are addresses, or empty; At that of a page.
func (l *List) Previous() string {
	if l.Query.Page <= 1 {
		return ""
	}
	return l.At(min(l.Query.Page-1, max(l.Pages(), 1)))
}

func (l *List) Next() string {
	if l.Query.Page >= l.Pages() {
		return ""
	}
	return l.At(l.Query.Page + 1)
}

func (l *List) At(page int) string { return l.with("page", strconv.Itoa(page)) }

func (l *List) with(name, value string) string {
	q := url.Values{}
	for key, list := range l.given {
		if key != "page" {
			q[key] = list
		}
	}
	q.Set(name, value)
	return l.path + "?" + q.Encode()
}

// Head is a column's head that sorts the list when it is followed.
type Head struct {
	Label, Link string
	State       string // aria-sort: ascending, descending or none
}

// Head is the head of the column of a field.
func (l *List) Head(selector, label string) Head {
	by, desc := l.sorted()
	h := Head{Label: label, State: "none"}
	order := selector
	if by == selector {
		h.State = "ascending"
		if desc {
			h.State = "descending"
		} else {
			order = "-" + selector
		}
	}
	h.Link = l.with("sort", order)
	return h
}

// Kept are the other parts of the address, which a search must not lose.
func (l *List) Kept() []Field {
	if sort := l.given.Get("sort"); sort != "" {
		return []Field{{Name: "sort", Value: sort}}
	}
	return nil
}
