package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"unicode/utf8"

	"causeway/internal/problem"
)

// ParseForm reads an application/x-www-form-urlencoded body as OAuth demands
// (RFC 6749 §3.2): no parameter twice, parameters without a value count as
// absent, and nothing taken from the URL, where secrets would end up in logs.
func ParseForm(r *http.Request) (url.Values, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, problem.New(problem.InvalidRequest, "Content-Type must be application/x-www-form-urlencoded.")
	}
	if strings.Trim(r.URL.RawQuery, "&") != "" {
		return nil, problem.New(problem.InvalidRequest, "Parameters belong into the body, not into the URL.")
	}
	body, err := readBody(r, maxForm)
	if err != nil {
		return nil, err
	}
	return DecodeForm(string(body))
}

// DecodeForm is ParseForm for a body already read.
func DecodeForm(body string) (url.Values, error) {
	values := url.Values{}
	for pair := range strings.SplitSeq(body, "&") {
		key, value, _ := strings.Cut(pair, "=")
		k, errKey := url.QueryUnescape(key)
		v, errValue := url.QueryUnescape(value)
		if errKey != nil || errValue != nil || !utf8.ValidString(k) || !utf8.ValidString(v) {
			return nil, problem.New(problem.InvalidRequest, "The body is not form-encoded correctly.")
		}
		switch {
		case k == "" && v == "", v == "":
			continue
		case values.Has(k):
			return nil, problem.New(problem.InvalidRequest, "The parameter %.64q is given twice.", k)
		}
		values.Set(k, v)
	}
	return values, nil
}

// ParseJSON reads a JSON body into v. Unknown members are ignored: clients send
// whole objects back. The content type is not judged: SDKs leave it out.
func ParseJSON(r *http.Request, v any) error {
	body, err := readBody(r, maxDocument)
	if err != nil {
		return err
	}
	return decodeJSON(body, v)
}

// ParseOwnJSON is ParseJSON for documents of [OwnAPI] that replace what was there:
// a member that is misspelled would silently take away what it was meant to set.
// What v names, and what a GET shows besides, is known; notRead lists the latter.
func ParseOwnJSON(r *http.Request, v any, notRead ...string) error {
	body, err := readBody(r, maxDocument)
	if err != nil {
		return err
	}
	if err := decodeJSON(body, v); err != nil {
		return err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil || members == nil { // null is no document
		return problem.New(problem.BadRequest, "The body must be a JSON object.")
	}
	for _, name := range notRead {
		delete(members, name)
	}
	known, err := json.Marshal(members)
	if err != nil {
		return err
	}
	strict := json.NewDecoder(bytes.NewReader(known))
	strict.DisallowUnknownFields()
	if err := strict.Decode(reflect.New(reflect.TypeOf(v).Elem()).Interface()); err != nil {
		name, _ := strings.CutPrefix(err.Error(), "json: unknown field ")
		return problem.New(problem.BadRequest, "There is no member %.66s.", name)
	}
	return nil
}

func decodeJSON(body []byte, v any) error {
	if !utf8.Valid(body) {
		return problem.New(problem.BadRequest, "The body is not valid UTF-8.")
	}
	if err := json.Unmarshal(body, v); err != nil {
		var syntax *json.SyntaxError
		var kind *json.UnmarshalTypeError
		switch {
		case problem.As(err) != nil: // v has rules of its own
			return err
		case errors.As(err, &syntax):
			return problem.New(problem.BadRequest, "The body is not valid JSON at byte %d.", syntax.Offset)
		case errors.As(err, &kind) && kind.Field == "":
			return problem.New(problem.BadRequest, "The body must be a JSON object.")
		case errors.As(err, &kind):
			return problem.New(problem.BadRequest, "The member %q has the wrong type.", kind.Field)
		}
		return problem.New(problem.BadRequest, "The body is not valid JSON.")
	}
	return nil
}
