package httpapi

import (
	"net/url"
	"strings"

	"causeway/internal/problem"
)

// maxQuery bounds a raw query string, in bytes.
const maxQuery = 8192

// ParseQuery reads a raw query string: pairs are split at & only, at the first =
// into key and value, and decoded once. net/url drops every pair that holds a
// semicolon, and VCD's filters do. Empty pairs are skipped: clients send "?&type=".
func ParseQuery(raw string) (url.Values, error) {
	if len(raw) > maxQuery {
		return nil, problem.New(problem.BadRequest, "The query string is longer than %d bytes.", maxQuery)
	}
	values := url.Values{}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		k, err := url.QueryUnescape(key)
		if err != nil {
			return nil, problem.New(problem.BadRequest, "The query string is not percent-encoded correctly.")
		}
		v, err := url.QueryUnescape(value)
		if err != nil {
			return nil, problem.New(problem.BadRequest, "The query parameter %.64q is not percent-encoded correctly.", k)
		}
		values.Add(k, v)
	}
	return values, nil
}
