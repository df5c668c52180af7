package httpapi

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"unicode/utf8"

	"causeway/internal/problem"
)

// ParseFormOrJSON is ParseForm for endpoints whose parameters come as one flat JSON
// object where the content type says so. The rules are those of a form: no parameter
// twice, none in the URL.
func ParseFormOrJSON(r *http.Request) (url.Values, error) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || !ofSyntax(media, "json") {
		return ParseForm(r)
	}
	if r.URL.RawQuery != "" {
		return nil, problem.New(problem.InvalidRequest, "Parameters belong into the body, not into the URL.")
	}
	body, err := readBody(r, maxForm)
	if err != nil {
		return nil, err
	}
	return DecodeJSONForm(body)
}

// DecodeJSONForm reads an object's strings, numbers and truth values as parameters.
// Other members mean nothing in a form and are passed over.
func DecodeJSONForm(body []byte) (url.Values, error) {
	refused := problem.New(problem.InvalidRequest, "The body must be one JSON object.")
	if !utf8.Valid(body) || !json.Valid(body) {
		return nil, refused
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, refused
	}
	values, seen := url.Values{}, map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		name, ok := t.(string)
		var value json.RawMessage
		if err != nil || !ok || dec.Decode(&value) != nil {
			return nil, refused
		}
		if seen[name] {
			return nil, problem.New(problem.InvalidRequest, "The parameter %.64q is given twice.", name)
		}
		seen[name] = true
		if text := scalar(value); text != "" {
			values.Set(name, text)
		}
	}
	return values, nil
}

// scalar is the text of a value that a form could have; empty for others.
func scalar(value json.RawMessage) string {
	var text string
	switch value[0] {
	case '"':
		_ = json.Unmarshal(value, &text) // valid before
		return text
	case '{', '[', 'n':
		return ""
	}
	return string(value)
}
