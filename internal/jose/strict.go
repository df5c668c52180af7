package jose

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

const (
	// maxDepth is more than any document of ours nests.
	maxDepth = 4
	// maxMembers is more than any object of ours has; each is compared with those
	// before it.
	maxMembers = 64
)

// checkObject accepts one JSON object whose members, at every level, appear once
// and are spelled in lower case, without escapes. Two readers that disagree about a repeated or
// oddly-cased member could each act on another value.
func checkObject(data []byte) error {
	if !utf8.Valid(data) || !json.Valid(data) {
		return errors.New("jose: not JSON")
	}
	if data = bytes.TrimSpace(data); data[0] != '{' {
		return errors.New("jose: not a JSON object")
	}
	return checkMembers(data)
}

// level is an object or array that is open.
type level struct {
	object bool
	named  bool     // the member that it is at
	names  [][]byte // of members so far
}

// checkMembers goes through valid JSON. It needs to tell names, strings and brackets
// apart, and nothing else.
func checkMembers(data []byte) error {
	var open [maxDepth]level
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{', '[':
			if depth == maxDepth {
				return errors.New("jose: nested too deeply")
			}
			open[depth] = level{object: data[i] == '{', names: open[depth].names[:0]}
			depth++
		case '}', ']':
			depth--
		case ',':
			open[depth-1].named = false // #nosec G602 -- a comma is in something
		case '"':
			end := i + stringEnd(data[i:])
			if err := open[depth-1].see(data[i+1 : end]); err != nil { // #nosec G602 -- so is a string
				return err
			}
			i = end
		}
	}
	return nil
}

// stringEnd is where the quoted string ends that data begins with.
func stringEnd(data []byte) int {
	for i := 1; ; i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
}

// see takes a string in, which is a name where one is due.
func (l *level) see(text []byte) error {
	if !l.object || l.named {
		return nil
	}
	l.named = true
	if len(l.names) == maxMembers {
		return errors.New("jose: too many members")
	}
	for _, name := range l.names {
		if bytes.Equal(name, text) {
			return fmt.Errorf("jose: repeated member %.32q", text)
		}
	}
	if !lower(text) {
		return fmt.Errorf("jose: oddly spelled member %.32q", text)
	}
	l.names = append(l.names, text)
	return nil
}

func lower(name []byte) bool {
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return len(name) > 0
}
