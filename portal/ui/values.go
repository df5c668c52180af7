package ui

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"causeway/internal/problem"
)

// maxForm bounds what a form sends, in bytes: the longest are rights, of which a
// role can have some hundreds, and documents that are uploaded.
const maxForm = 1 << 20

// Values are what a form sent. Nothing of them comes from the URL.
type Values struct {
	url.Values
	files map[string]string
}

// Text is a field without the white space around it.
func (v Values) Text(name string) string { return strings.TrimSpace(v.Get(name)) }

// Is reports whether a box was ticked.
func (v Values) Is(name string) bool { return v.Get(name) != "" }

// File is what an uploaded file says, or empty.
func (v Values) File(name string) string { return v.files[name] }

// Form reads what a form sent. Too much of it is problem.TooLarge, and what no
// browser sends problem.BadRequest.
func (s *Screen) Form() (Values, error) {
	r := s.Request
	r.Body = http.MaxBytesReader(s.Writer, r.Body, maxForm)
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	v := Values{Values: url.Values{}, files: map[string]string{}}
	switch media {
	case "application/x-www-form-urlencoded":
		if err := r.ParseForm(); err != nil {
			return v, unreadable(err)
		}
		v.Values = r.PostForm
	case "multipart/form-data":
		if err := v.readParts(r); err != nil {
			return v, unreadable(err)
		}
	default:
		return v, problem.New(problem.BadRequest, "A form is sent as application/x-www-form-urlencoded or multipart/form-data.")
	}
	for name, list := range v.Values {
		for _, value := range append(list, name) {
			if !utf8.ValidString(value) {
				return v, problem.New(problem.BadRequest, "The form is not valid UTF-8.")
			}
		}
	}
	return v, nil
}

// readParts reads a form with files, all of it in memory.
func (v Values) readParts(r *http.Request) error {
	parts, err := r.MultipartReader()
	if err != nil {
		return err
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		body, err := io.ReadAll(part)
		if err != nil {
			return err
		}
		if part.FileName() != "" {
			if !utf8.Valid(body) {
				return problem.New(problem.BadRequest, "The file is not text.")
			}
			v.files[part.FormName()] = string(body)
			continue
		}
		v.Add(part.FormName(), string(body))
	}
}

func unreadable(err error) error {
	var long *http.MaxBytesError
	switch {
	case problem.As(err) != nil:
		return err
	case errors.As(err, &long):
		return problem.New(problem.TooLarge, "The form is longer than %d bytes.", maxForm)
	}
	return problem.New(problem.BadRequest, "The form cannot be read.")
}
