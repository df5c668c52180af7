package services

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"

	"causeway/internal/problem"
)

// maxDefinition bounds the document of a definition, in bytes.
const maxDefinition = 256 << 10

// ParseDefinition reads the document of a definition: YAML, or JSON if it begins with
// a brace. What it does not know it refuses: a member that is misspelled would
// silently leave a call open, or closed.
func ParseDefinition(data []byte) (Definition, error) {
	if len(data) > maxDefinition {
		return Definition{}, problem.New(problem.BadRequest, "A service definition has at most %d bytes.", maxDefinition)
	}
	if !utf8.Valid(data) {
		return Definition{}, problem.New(problem.BadRequest, "The service definition is not valid UTF-8.")
	}
	decode := decodeYAML
	if trimmed := bytes.TrimLeft(data, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '{' {
		decode = decodeJSON
	}
	d, err := decode(data)
	if err != nil {
		return Definition{}, err
	}
	return d, CheckDefinition(d)
}

// decodeJSON also takes what we show beside.
func decodeJSON(data []byte) (d Definition, err error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		p := unreadable(err.Error())
		if offset := offsetOf(err); offset > 0 {
			p.Err = Misread{Line: 1 + bytes.Count(data[:min(offset, len(data))], []byte("\n"))}
		}
		return Definition{}, p
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Definition{}, unreadable("something follows the object")
	}
	shown := Definition{
		ID: d.ID, Version: d.Version, Name: d.Name, Description: d.Description, Prefix: d.Prefix,
		Permissions: d.Permissions, Roles: d.Roles, Routes: d.Routes,
	}
	return shown, nil
}

func decodeYAML(data []byte) (d Definition, err error) {
	if err := plainYAML(string(data)); err != nil {
		return Definition{}, err
	}
	defer func() {
		if p := recover(); p != nil { // the parser, at text that nobody would write
			d, err = Definition{}, unreadable(fmt.Sprint(p))
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict())
	if err := dec.Decode(&d); err != nil {
		return Definition{}, at(err, unreadable(yaml.FormatError(err, false, false)))
	}
	var more any
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return Definition{}, unreadable("a second document follows")
	}
	return d, nil
}

// How deep a document goes; a definition needs four levels. Deeper ones could end the
// process, and not only the request.
const (
	maxFlow   = 8  // brackets in one another
	maxColumn = 64 // where a key or an entry of a list begins
)

// plainYAML refuses what makes a document larger than it looks, or deeper than the
// parser's stack.
func plainYAML(text string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = unreadable(fmt.Sprint(p))
		}
	}()
	flow := 0
	for _, t := range lexer.Tokenize(text) {
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType, token.TagType, token.DirectiveType, token.MappingKeyType:
			p := unreadable("anchors, aliases, tags, directives and complex keys are not read")
			p.Err = Misread{Line: t.Position.Line}
			return p
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType:
			if t.Position.Column > maxColumn {
				flow = maxFlow + 1
			}
		case token.MappingValueType:
			if flow == 0 && t.Prev != nil && t.Prev.Position.Column > maxColumn {
				flow = maxFlow + 1
			}
		}
		if flow > maxFlow {
			p := unreadable("it is nested too deeply")
			p.Err = Misread{Line: t.Position.Line}
			return p
		}
	}
	return nil
}

// Misread is where a document could not be read.
type Misread struct{ Line int } // from 1

func (m Misread) Error() string { return "line " + strconv.Itoa(m.Line) }

// at adds where the parser of YAML stopped.
func at(err error, p *problem.Problem) error {
	if found, ok := errors.AsType[yaml.Error](err); ok && found.GetToken() != nil {
		p.Err = Misread{Line: found.GetToken().Position.Line}
	}
	return p
}

// offsetOf is where the parser of JSON stopped; 0 is unknown.
func offsetOf(err error) int {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return int(syntax.Offset)
	}
	if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return int(kind.Offset)
	}
	return 0
}

func unreadable(why string) *problem.Problem {
	if len(why) > 300 {
		why = why[:300]
	}
	return problem.New(problem.BadRequest, "The service definition cannot be read: %q.", why)
}
