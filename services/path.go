package services

import (
	"net/url"
	"path"
	"strings"

	"causeway/internal/problem"
)

// CanonicalPath is the one path by which a request is authorized and forwarded.
// What proxies and servers read in different ways is refused: encoded slashes
// and backslashes, dot segments, parameters of segments, control characters.
// Repeated slashes are collapsed, as everywhere in the gateway; one trailing slash
// stays.
func CanonicalPath(u *url.URL) (string, error) {
	raw := strings.ToLower(u.EscapedPath())
	p := u.Path
	if p == "" || p[0] != '/' || strings.Contains(raw, "%2f") || strings.Contains(raw, "%5c") ||
		strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' || r == ';' }) {
		return "", badPath()
	}
	for segment := range strings.SplitSeq(p, "/") {
		if segment == "." || segment == ".." {
			return "", badPath()
		}
	}
	clean := path.Clean(p)
	if clean != "/" && strings.HasSuffix(p, "/") {
		clean += "/"
	}
	return clean, nil
}

func badPath() error {
	return problem.New(problem.BadRequest, "The path holds dot segments, encoded slashes, semicolons or control characters.")
}
