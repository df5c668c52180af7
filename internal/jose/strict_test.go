package jose

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// Whatever JSON it is, members are found where a decoder finds them (R5).
func FuzzCheckObject(f *testing.F) {
	for _, text := range []string{
		`{}`, ` {"a":1} `, `[]`, `"a"`, `1`, `null`, ``, `{"a":1}{}`, `{"a":1,"a":2}`, `{"A":1}`, `{"":1}`, `{"\u0061":1}`, `{"a":{"a":1},"b":[{"a":"a"},{"a":"b"}]}`,
		`{"a":"\"b\":{,","c":"\\"}`, `{"a":[[[1]]]}`, `{"a":[[[[1]]]]}`, `{"a":[1,"a",{"b":true}],"a":1}`, `{"a":["x"],"b":"x","x":["a","a"]}`, "{\"a\":\"\xff\"}",
		many(maxMembers), many(maxMembers + 1),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, want := checkObject(data), byDecoder(data)
		stricter := bytes.Contains(data, []byte(`\`)) || bytes.Count(data, []byte(":")) > maxMembers // names are not escaped
		if got == nil && want != nil || want == nil && got != nil && !stricter {
			t.Errorf("%q: %v, by a decoder %v", data, got, want)
		}
	})
}

// What repeats nothing but goes on for long would cost the square of its length.
func TestCheckObject_R13_ManyMembers(t *testing.T) {
	if err := checkObject([]byte(many(maxMembers))); err != nil {
		t.Error(err)
	}
	if checkObject([]byte(many(maxMembers+1))) == nil {
		t.Error("too many members are let through")
	}
}

func many(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, `,"m%d":1`, i)
	}
	return "{" + s.String()[1:] + "}"
}

func byDecoder(data []byte) error {
	if !utf8.Valid(data) || !json.Valid(data) {
		return errors.New("jose: not JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return errors.New("jose: not a JSON object")
	}
	return membersByDecoder(dec, 1)
}

// membersByDecoder is what checkMembers does, slowly: it reads to the end of the object that dec is in.
func membersByDecoder(dec *json.Decoder, depth int) error {
	seen := map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return err
		}
		name, _ := t.(string)
		if !lower([]byte(name)) || seen[name] {
			return fmt.Errorf("jose: repeated or oddly spelled member %.32q", name)
		}
		seen[name] = true
		if err := valueByDecoder(dec, depth); err != nil {
			return err
		}
	}
	_, err := dec.Token() // the closing brace
	return err
}

func valueByDecoder(dec *json.Decoder, depth int) error {
	t, err := dec.Token()
	if err != nil {
		return err
	}
	if _, ok := t.(json.Delim); !ok {
		return nil
	}
	if depth == maxDepth {
		return errors.New("jose: nested too deeply")
	}
	if t == json.Delim('{') {
		return membersByDecoder(dec, depth+1)
	}
	for dec.More() {
		if err := valueByDecoder(dec, depth+1); err != nil {
			return err
		}
	}
	_, err = dec.Token() // the closing bracket
	return err
}
