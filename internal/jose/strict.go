package jose

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// maxDepth is more than any document of ours nests.
const maxDepth = 4

// checkObject accepts one JSON object whose members, at every level, appear once
// and are spelled in lower case. Two readers that disagree about a repeated or
// oddly-cased member could each act on another value.
func checkObject(data []byte) error {
	if !utf8.Valid(data) || !json.Valid(data) {
		return errors.New("jose: not JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return errors.New("jose: not a JSON object")
	}
	return checkMembers(dec, 1)
}

// checkMembers reads to the end of the object that dec is in.
func checkMembers(dec *json.Decoder, depth int) error {
	seen := map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return err
		}
		name, _ := t.(string)
		if !lower(name) || seen[name] {
			return fmt.Errorf("jose: repeated or oddly spelled member %.32q", name)
		}
		seen[name] = true
		if err := checkValue(dec, depth); err != nil {
			return err
		}
	}
	_, err := dec.Token() // the closing brace
	return err
}

func checkValue(dec *json.Decoder, depth int) error {
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
		return checkMembers(dec, depth+1)
	}
	for dec.More() {
		if err := checkValue(dec, depth+1); err != nil {
			return err
		}
	}
	_, err = dec.Token() // the closing bracket
	return err
}

func lower(name string) bool {
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return name != ""
}
