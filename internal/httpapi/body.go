package httpapi

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"causeway/internal/problem"
)

// The bounds of the bodies of our own endpoints, in bytes; what instances behind
// the gateway get is theirs to bound. Clients send whole objects back: an
// organization with its references, a role with all its rights, at some 250 bytes
// each.
const (
	maxForm     = 64 << 10
	maxDocument = 512 << 10
)

func readBody(r *http.Request, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return nil, problem.Wrap(err, problem.BadRequest, "The body could not be read.")
	}
	if int64(len(body)) > limit {
		return nil, problem.New(problem.BadRequest, "The body is longer than %d bytes.", limit)
	}
	return body, nil
}

// ParseBody reads a body of /api into v by its content type: JSON for the clients
// that write it, XML otherwise, whatever the subtype says about the element and
// also where there is no content type at all.
func ParseBody(r *http.Request, v any) error {
	given := r.Header.Get("Content-Type")
	media, params, err := mime.ParseMediaType(given)
	if errors.Is(err, mime.ErrInvalidMediaParameter) {
		err = nil // the type itself is known, and the parameters say little
	}
	switch charset := params["charset"]; {
	case charset != "" && !strings.EqualFold(charset, "utf-8"):
		return problem.New(problem.BadRequest, "The body must be in UTF-8.")
	case given == "", err == nil && ofSyntax(media, "xml"):
		return ParseXML(r, v)
	case err == nil && ofSyntax(media, "json"):
		return ParseJSON(r, v)
	}
	return problem.New(problem.BadRequest, "Content-Type must be application/*+xml or application/*+json.")
}

// ofSyntax reports whether a media type is the syntax itself or built on it
// (RFC 6838 §4.2.8).
func ofSyntax(media, syntax string) bool {
	return strings.HasSuffix(media, "+"+syntax) || strings.HasSuffix(media, "/"+syntax)
}
