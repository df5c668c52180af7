package apiclient

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"causeway/internal/httpapi"
)

// pageSize is the most that every list gives at once.
const pageSize = 128

// List is what is wanted of a list. The zero List is all of it.
type List struct {
	Filter string // FIQL
	Limit  int    // at most so many; 0 is all
}

// All reads every page of a list.
func All[T any](ctx context.Context, c *Client, path string) ([]T, error) {
	return Some[T](ctx, c, path, List{})
}

// Some reads as many pages of a list as are wanted.
func Some[T any](ctx context.Context, c *Client, path string, want List) ([]T, error) {
	q := url.Values{"pageSize": {strconv.Itoa(pageSize)}}
	if want.Filter != "" {
		q.Set("filter", want.Filter)
	}
	all := []T{}
	for n := 1; ; n++ {
		q.Set("page", strconv.Itoa(n))
		var page httpapi.Page[T]
		if err := c.Do(ctx, http.MethodGet, path+"?"+q.Encode(), nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Values...)
		if want.Limit > 0 && len(all) >= want.Limit {
			return all[:want.Limit], nil
		}
		if len(page.Values) == 0 || len(all) >= page.ResultTotal {
			return all, nil
		}
	}
}
