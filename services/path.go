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
	if err := CheckPath(u); err != nil {
		return "", err
	}
	p := u.Path
	clean := path.Clean(p)
	if clean != "/" && strings.HasSuffix(p, "/") {
		clean += "/"
	}
	return clean, nil
}

// CheckPath is CanonicalPath's error.
func CheckPath(u *url.URL) error {
	p := u.Path
	if p == "" || p[0] != '/' || encodesSlash(u) ||
		strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' || r == ';' }) {
		return badPath()
	}
	for segment := range strings.SplitSeq(p, "/") {
		if segment == "." || segment == ".." {
			return badPath()
		}
	}
	return nil
}

// encodesSlash finds encoded slashes and backslashes. A URL keeps how its path was
// written only where that differs from the usual encoding, which has neither but
// for a backslash that the path then shows.
func encodesSlash(u *url.URL) bool {
	if u.RawPath == "" {
		return false
	}
	raw := strings.ToLower(u.EscapedPath())
	return strings.Contains(raw, "%2f") || strings.Contains(raw, "%5c")
}

func badPath() error {
	return problem.New(problem.BadRequest, "The path holds dot segments, encoded slashes, semicolons or control characters.")
}
