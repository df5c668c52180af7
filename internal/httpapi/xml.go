package httpapi

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"unicode/utf8"

	"causeway/internal/problem"
)

// ParseXML reads an XML body into v, whose XMLName tag names the element that
// the body must be. Clients write it with VCD's namespace, with another prefix or
// with none, so only local names count; a prefixed attribute is not ours. Unknown
// elements are ignored, as clients send whole objects back; absent and empty
// booleans are false, numbers 0. Fields tagged innerxml stay empty.
func ParseXML(r *http.Request, v any) error {
	root, err := rootOf(v)
	if err != nil {
		return err
	}
	body, err := readBody(r, maxDocument)
	if err != nil {
		return err
	}
	if !utf8.Valid(body) {
		return problem.New(problem.BadRequest, "The body is not valid UTF-8.")
	}
	guard := newXMLGuard(bytes.TrimPrefix(body, []byte("\ufeff")), root.Local)
	d := xml.NewTokenDecoder(guard)
	d.DefaultSpace = root.Space // the guard took off what namespaces the client wrote
	err = d.Decode(v)
	for err == nil { // the decoder is content with the end of the element
		_, err = guard.Token()
	}
	switch {
	case errors.Is(err, io.EOF) && guard.rooted:
		return nil
	case errors.Is(err, io.EOF):
		return problem.New(problem.BadRequest, "The body must be an XML element %s.", root.Local)
	case problem.As(err) != nil:
		return err
	}
	return problem.New(problem.BadRequest, "The element %.64q holds a value of the wrong type.", guard.last)
}

// rootOf reads the tag of v's XMLName. A body without one would accept any
// element, so that is our own mistake and no client's.
func rootOf(v any) (xml.Name, error) {
	t := reflect.TypeOf(v)
	if t != nil && t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct {
		if f, ok := t.Elem().FieldByName("XMLName"); ok {
			tag, _, _ := strings.Cut(f.Tag.Get("xml"), ",")
			space, local, found := strings.Cut(tag, " ")
			if !found {
				space, local = "", tag
			}
			if local != "" {
				return xml.Name{Space: space, Local: local}, nil
			}
		}
	}
	return xml.Name{}, fmt.Errorf("%T names no element in an XMLName", v)
}
