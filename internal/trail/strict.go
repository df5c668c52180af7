package trail

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
)

// says reports whether text says what ours does to every reader: member for member,
// each once and spelled so. encoding/json takes the last of two members, and any
// spelling: a line could show one entry to people and prove another.
func says(text []byte, ours interface{ MarshalLine() ([]byte, error) }) bool {
	want, err := ours.MarshalLine()
	if err != nil {
		return false
	}
	a, errA := readValue(text)
	b, errB := readValue(want)
	return errA == nil && errB == nil && reflect.DeepEqual(a, b)
}

// readValue is the one JSON value that is all of text.
func readValue(text []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	v, err := nextValue(dec)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows")
	}
	return v, nil
}

func nextValue(dec *json.Decoder) (any, error) {
	t, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('{'):
		all := map[string]any{}
		for dec.More() {
			t, err := dec.Token()
			if err != nil {
				return nil, err
			}
			name, _ := t.(string) // nothing else is a name
			if _, twice := all[name]; twice {
				return nil, errors.New("a member is there twice")
			}
			if all[name], err = nextValue(dec); err != nil {
				return nil, err
			}
		}
		_, err := dec.Token()
		return all, err
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			v, err := nextValue(dec)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := dec.Token()
		return list, err
	}
	return t, nil
}
