package fiql

import (
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"causeway/internal/problem"
)

// Kind is what a field holds, and so which operators and values fit it.
type Kind int

const (
	// Text compares exactly, case included, with == and != and the wildcard *.
	// It has no order: databases sort text in as many ways as they have locales.
	Text Kind = iota
	// URN is a column of bare lower-case UUIDs. A value may be the UUID or
	// urn:vcloud:<Field.URN>:<uuid>.
	URN
	// Int is an integer column of any width.
	Int
	// Time is a column of microseconds since 1970, UTC. A value is RFC 3339.
	// Clients are shown milliseconds, so a value without a finer fraction
	// stands for the whole millisecond: == finds the row a client was shown,
	// and =gt= does not find it again.
	Time
	// Bool is a boolean column; a value is true or false.
	Bool
)

// Field is one thing that a list can be filtered by. Column goes into the SQL
// as it stands and must come from the program, never from a request.
type Field struct {
	Column string
	Kind   Kind
	URN    string // the <type> of urn:vcloud:<type>:…, for Kind URN
}

// Fields are the fields of a list by selector. What is not in it cannot be
// asked for.
type Fields map[string]Field

// bind turns a comparison into the condition it stands for.
func (fs Fields) bind(c Comparison) (condition, error) {
	f, ok := fs[c.Selector]
	if !ok {
		return nil, problem.New(problem.BadRequest, "This list cannot be filtered by %s.", c.Selector)
	}
	ordered := f.Kind == Int || f.Kind == Time
	if !ordered && c.Op != Equal && c.Op != NotEqual {
		return nil, problem.New(problem.BadRequest, "The filter on %s allows == and != only.", c.Selector)
	}
	switch f.Kind {
	case Text:
		p, ok := parsePattern(c.Value)
		if !ok {
			return nil, problem.New(problem.BadRequest, "The filter on %s has more than one text between wildcards.", c.Selector)
		}
		return textCondition{f, c, p}, nil
	case URN:
		if v, ok := f.parseURN(c.Value); ok {
			return textCondition{f, c, pattern{exact: true, prefix: v}}, nil
		}
	case Int, Time:
		if v, ok := f.parseSpan(c.Value); ok {
			return numberCondition{f, c, v}, nil
		}
	case Bool:
		if v, ok := parseBool(c.Value); ok {
			return boolCondition{f, c, v}, nil
		}
	}
	return nil, problem.New(problem.BadRequest, "The filter on %s needs %s.", c.Selector, f.wants())
}

// wants says to a client what a value of the field looks like.
func (f Field) wants() string {
	switch f.Kind {
	case URN:
		return "an identifier such as urn:vcloud:" + f.URN + ":00000000-0000-0000-0000-000000000000"
	case Int:
		return "a whole number"
	case Time:
		return "a time such as 2026-01-01T00:00:00.000Z"
	case Bool:
		return "true or false"
	}
	return "a text"
}

// parseURN is tenants.ParseID without its import: packages that this one serves
// are imported by it.
func (f Field) parseURN(s string) (string, bool) {
	bare := strings.TrimPrefix(s, "urn:vcloud:"+f.URN+":")
	if len(bare) != 36 { // uuid.Parse takes three more spellings
		return "", false
	}
	id, err := uuid.Parse(bare)
	return id.String(), err == nil
}

// span is a closed interval of integers: one number, or the microseconds of a
// millisecond.
type span struct{ low, high int64 }

func (f Field) parseSpan(s string) (span, bool) {
	if f.Kind == Int {
		n, err := strconv.ParseInt(s, 10, 64)
		return span{n, n}, err == nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return span{}, false
	}
	micros := t.UnixMicro()
	if t.Nanosecond()%int(time.Millisecond) == 0 {
		return span{micros, micros + 999}, true
	}
	return span{micros, micros}, true
}

// parseNumber reads a row's value; of a time the instant itself.
func (f Field) parseNumber(s string) (int64, bool) {
	v, ok := f.parseSpan(s)
	return v.low, ok
}

func parseBool(s string) (value, ok bool) { return s == "true", s == "true" || s == "false" }
