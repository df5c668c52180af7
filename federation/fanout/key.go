package fanout

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"
)

// Key is a row's value of what the list is sorted by. Keys compare as the store
// compares columns: text by its bytes, numbers by value, false before true, and
// what is absent before everything.
type Key struct {
	kind   kind
	text   string
	number float64
}

type kind int

const (
	absent kind = iota
	truth
	number
	text
)

// TextKey is the key of text.
func TextKey(s string) Key { return Key{kind: text, text: s} }

// Compare is negative where k comes before b in an ascending list.
func (k Key) Compare(b Key) int {
	return cmp.Or(cmp.Compare(k.kind, b.kind), cmp.Compare(k.number, b.number), cmp.Compare(k.text, b.text))
}

// JSONKey finds the value of a selector in an object: owner.name is the member
// name of the member owner. Of an array its first element counts.
func JSONKey(object []byte, selector string) Key {
	if selector == "" {
		return Key{}
	}
	value := json.RawMessage(object)
	for name := range strings.SplitSeq(selector, ".") {
		value = member(value, name)
	}
	return keyOf(value)
}

func member(value json.RawMessage, name string) json.RawMessage {
	value = first(value)
	var object map[string]json.RawMessage
	if json.Unmarshal(value, &object) != nil {
		return nil
	}
	return object[name]
}

func first(value json.RawMessage) json.RawMessage {
	if !bytes.HasPrefix(bytes.TrimLeft(value, " \t\r\n"), []byte("[")) {
		return value
	}
	var list []json.RawMessage
	if json.Unmarshal(value, &list) != nil || len(list) == 0 {
		return nil
	}
	return list[0]
}

func keyOf(value json.RawMessage) Key {
	var v any
	if len(value) == 0 || json.Unmarshal(value, &v) != nil {
		return Key{}
	}
	switch v := v.(type) {
	case string:
		return TextKey(v)
	case float64:
		return Key{kind: number, number: v}
	case bool:
		if v {
			return Key{kind: truth, number: 1}
		}
		return Key{kind: truth}
	default:
		return Key{}
	}
}
