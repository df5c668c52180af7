package openapihttp_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"causeway/internal/openapihttp"
)

// judge knows what the APIs say about themselves, more strictly than clients are to
// read it: a member that is not described is a fault.
type judge struct {
	operations []operation
	schemas    *jsonschema.Compiler
	seen       map[string]bool // API and id of what succeeded
}

type operation struct {
	method string
	path   []string // segments; one that begins with : is any
	api    openapihttp.API
	said   openapihttp.Operation
}

func newJudge() (*judge, error) {
	apis, err := openapihttp.Load()
	if err != nil {
		return nil, err
	}
	j := &judge{schemas: jsonschema.NewCompiler(), seen: map[string]bool{}}
	for _, a := range apis {
		var doc any = map[string]any{"components": map[string]any{"schemas": a.Schemas}}
		if err := errors.Join(j.schemas.AddResource(base(a)+sent, doc), j.schemas.AddResource(base(a)+answered, strict(doc))); err != nil {
			return nil, err
		}
		for key, said := range a.Operations {
			method, path, _ := strings.Cut(key, " ")
			j.operations = append(j.operations, operation{method: method, path: strings.Split(path, "/"), api: a, said: said})
		}
	}
	// What names a segment goes before what takes any.
	slices.SortFunc(j.operations, func(a, b operation) int { return slices.Compare(a.path, b.path) })
	slices.Reverse(j.operations)
	slices.SortStableFunc(j.operations, func(a, b operation) int { return a.open() - b.open() })
	return j, nil
}

func base(a openapihttp.API) string { return "https://causeway.invalid/" + a.Name }

// Clients send whole objects back, so what they send may hold more than is read.
const (
	sent     = "/sent.json"
	answered = "/answered.json"
)

func (o operation) open() (n int) {
	for _, p := range o.path {
		if strings.HasPrefix(p, ":") {
			n++
		}
	}
	return n
}

func (o operation) is(method string, path []string) bool {
	return o.method == method && slices.EqualFunc(o.path, path, func(said, got string) bool {
		return said == got || strings.HasPrefix(said, ":") && got != ""
	})
}

// strict closes every object whose members are listed.
func strict(v any) any {
	switch v := v.(type) {
	case map[string]any:
		closed := maps.Clone(v)
		for name, member := range v {
			closed[name] = strict(member)
		}
		if properties, ok := v["properties"].(map[string]any); ok && v["type"] == "object" {
			if _, open := v["additionalProperties"]; !open && len(properties) > 0 {
				closed["additionalProperties"] = false
			}
		}
		return closed
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = strict(v[i])
		}
		return list
	}
	return v
}

// An exchange is a request and its answer.
type exchange struct {
	method string
	url    *url.URL
	sent   []byte
	status int
	header http.Header
	body   []byte
}

// look says what in an exchange is not as the description has it.
func (j *judge) look(x exchange) error {
	path := strings.Split(x.url.EscapedPath(), "/")
	at := slices.IndexFunc(j.operations, func(o operation) bool { return o.is(x.method, path) })
	if at < 0 {
		return fmt.Errorf("%s %s is not described", x.method, x.url.Path)
	}
	o := j.operations[at]
	if err := j.answer(o, x); err != nil {
		return fmt.Errorf("%s %s (%s) answers %d as the description does not say: %w\n%.1000s", x.method, strings.Join(o.path, "/"), x.url.Path, x.status, err, x.body)
	}
	return nil
}

func (j *judge) answer(o operation, x exchange) error {
	media, _, _ := mime.ParseMediaType(x.header.Get("Content-Type"))
	switch {
	case x.status >= http.StatusBadRequest:
		if media != "application/json" { // XML for who accepts nothing else
			return nil
		}
		return j.fits(o.api, answered, o.api.Failure, x.body)
	}
	if err := j.sent(o, x); err != nil {
		return fmt.Errorf("what was sent was taken: %w\n%.1000s", err, x.sent)
	}
	j.seen[o.api.Name+" "+o.said.ID] = true
	schema, ok := o.said.Out[x.status]
	switch {
	case !ok:
		return errors.New("the status is not described")
	case schema == "":
		if len(x.body) > 0 {
			return errors.New("there is a body")
		}
		return nil
	case media != "application/json":
		return fmt.Errorf("the media type is %s", media)
	case schema == "any":
		return nil
	}
	return j.fits(o.api, answered, schema, x.body)
}

// sent looks at a body that was taken. One that is not JSON has rules of its own.
func (j *judge) sent(o operation, x exchange) error {
	text := bytes.TrimSpace(x.sent)
	if len(text) == 0 || text[0] != '{' && text[0] != '[' {
		return nil
	}
	if o.said.In == "" {
		return errors.New("no body is described")
	}
	return j.fits(o.api, sent, o.said.In, text)
}

func (j *judge) fits(a openapihttp.API, side, name string, body []byte) error {
	location := base(a) + side + "#/components/schemas/" + name
	schema, err := j.schemas.Compile(location) // once
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(v)
}
