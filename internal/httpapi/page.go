package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"causeway/internal/fiql"
	"causeway/internal/problem"
	"causeway/tenants"
)

// Page is VCD's envelope of a list. Values is never null: an absent array is a
// decoding error in the SDKs.
type Page[T any] struct {
	ResultTotal  int   `json:"resultTotal"`
	PageCount    int   `json:"pageCount"`
	Page         int   `json:"page"`
	PageSize     int   `json:"pageSize"`
	Associations []any `json:"associations"`
	Values       []T   `json:"values"`
}

// NewPage makes an envelope whose numbers agree with each other: clients
// compute the next page from them.
func NewPage[T any](values []T, total, page, size int) Page[T] {
	if values == nil {
		values = []T{}
	}
	return Page[T]{ResultTotal: total, PageCount: (total + size - 1) / size, Page: page, PageSize: size, Values: values}
}

// WritePage writes a page with the links that lead to its neighbours.
func WritePage[T any](c *gin.Context, publicURL, model string, p Page[T]) {
	if links := pageLinks(c.Request, publicURL, model, p.Page, p.PageCount, p.PageSize, ""); len(links) > 0 {
		c.Header("Link", strings.Join(links, ","))
	}
	JSON(c, http.StatusOK, p)
}

// pageLinks are absolute and built on the configured URL, never on the Host
// header. A cursor goes with the next page only.
func pageLinks(r *http.Request, publicURL, model string, page, pages, size int, cursor string) (links []string) {
	link := func(page int, rel, cursor string) {
		q, err := ParseQuery(r.URL.RawQuery)
		if err != nil {
			q = url.Values{}
		}
		q.Set("page", strconv.Itoa(page))
		q.Set("pageSize", strconv.Itoa(size))
		q.Del(ParamOffsets)
		if cursor != "" {
			q.Set(ParamOffsets, cursor)
		}
		text := fmt.Sprintf(`<%s%s?%s>;rel="%s";type="application/json"`, publicURL, r.URL.EscapedPath(), q.Encode(), rel)
		if model != "" {
			text += `;model="` + model + `"`
		}
		links = append(links, text)
	}
	if pages > 0 {
		link(1, "firstPage", "")
		link(pages, "lastPage", "")
	}
	if page > 1 && page <= pages+1 {
		link(page-1, "previousPage", "")
	}
	if page < pages {
		link(page+1, "nextPage", cursor)
	}
	return links
}

const (
	defaultPageSize = 25
	maxPage         = 1 << 20 // beyond it the offset could overflow
)

// ParseList reads page, pageSize, filter, sortAsc and sortDesc. Only what fields
// lists can be filtered or sorted by. A page size over max is cut to max, and
// the answer says so by its own pageSize. What else clients send says nothing to
// us: filterEncoded above all must not have the filter decoded twice.
func ParseList(r *http.Request, fields fiql.Fields, max int) (tenants.Query, error) {
	q, err := ParseQuery(r.URL.RawQuery)
	if err != nil {
		return tenants.Query{}, err
	}
	var l tenants.Query
	if l.Page, l.PageSize, err = PageAndSize(q, max); err != nil {
		return tenants.Query{}, err
	}
	for name, desc := range map[string]bool{"sortAsc": false, "sortDesc": true} {
		by := q.Get(name)
		if by == "" {
			continue
		}
		f, ok := fields[by]
		if !ok || by == "id" || l.SortBy != "" {
			return tenants.Query{}, problem.New(problem.BadRequest, "The list cannot be sorted like this.")
		}
		l.SortBy, l.Desc = f.Column, desc
	}
	if filter := q.Get("filter"); filter != "" {
		node, err := fiql.Parse(filter)
		if err != nil {
			return tenants.Query{}, err
		}
		if l.Where, l.Args, err = fiql.Compile(node, fields); err != nil {
			return tenants.Query{}, err
		}
	}
	return l, nil
}

// PageAndSize reads which page of a list is wanted; max bounds its size.
func PageAndSize(q url.Values, max int) (page, size int, err error) {
	if page, err = positive(q, "page", 1); err != nil {
		return 0, 0, err
	}
	if size, err = positive(q, "pageSize", min(defaultPageSize, max)); err != nil {
		return 0, 0, err
	}
	return page, min(size, max), nil
}

func positive(q url.Values, name string, otherwise int) (int, error) {
	given := q.Get(name)
	if given == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(given)
	if err != nil || n < 1 || n > maxPage {
		return 0, problem.New(problem.BadRequest, "%s must be a number from 1 to %d.", name, maxPage)
	}
	return n, nil
}
