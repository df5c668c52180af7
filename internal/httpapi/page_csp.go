package httpapi

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/gin-gonic/gin"

	"causeway/internal/problem"
	"causeway/tenants"
)

// MostCSP is the largest page of a list of CSP's.
const MostCSP = 200

// CSPPage is CSP's envelope of a list. Links are relative, and absent where there is
// no such page.
type CSPPage[T any] struct {
	Results  []T    `json:"results"`
	Total    int    `json:"totalResults"`
	NextLink string `json:"nextLink,omitempty"`
	PrevLink string `json:"prevLink,omitempty"`
}

// ParseCSPList reads pageStart, which counts items from 1, and pageLimit. A limit
// over most is cut to it. A start that is in the middle of a page shows the page that
// it is in.
func ParseCSPList(r *http.Request, most int) (tenants.Query, error) {
	q, err := ParseQuery(r.URL.RawQuery)
	if err != nil {
		return tenants.Query{}, err
	}
	return CSPList(q.Get("pageStart"), q.Get("pageLimit"), most)
}

// CSPList is ParseCSPList for numbers that come otherwise; empty is the default.
func CSPList(start, limit string, most int) (tenants.Query, error) {
	first, err := wholeNumber("pageStart", start, 1)
	if err != nil {
		return tenants.Query{}, err
	}
	size, err := wholeNumber("pageLimit", limit, most)
	if err != nil {
		return tenants.Query{}, err
	}
	size = min(size, most)
	return tenants.Query{Page: (first-1)/size + 1, PageSize: size}, nil
}

func wholeNumber(name, given string, otherwise int) (int, error) {
	if given == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(given)
	if err != nil || n < 1 || n > maxPage {
		return 0, problem.New(problem.BadRequest, "%s must be a number from 1 to %d.", name, maxPage)
	}
	return n, nil
}

// WriteCSPPage writes a page of a list with the links to its neighbours.
func WriteCSPPage[T any](c *gin.Context, results []T, total int, q tenants.Query) {
	JSON(c, http.StatusOK, NewCSPPage(c, results, total, q))
}

// NewCSPPage is what WriteCSPPage writes.
func NewCSPPage[T any](c *gin.Context, results []T, total int, q tenants.Query) CSPPage[T] {
	if results == nil {
		results = []T{}
	}
	p := CSPPage[T]{Results: results, Total: total}
	if q.Page*q.PageSize < total {
		p.NextLink = cspLink(c.Request.URL, q.Page*q.PageSize+1, q.PageSize)
	}
	if q.Page > 1 {
		p.PrevLink = cspLink(c.Request.URL, (q.Page-2)*q.PageSize+1, q.PageSize)
	}
	return p
}

func cspLink(u *url.URL, start, limit int) string {
	q := u.Query()
	q.Set("pageStart", strconv.Itoa(start))
	q.Set("pageLimit", strconv.Itoa(limit))
	return u.EscapedPath() + "?" + q.Encode()
}
