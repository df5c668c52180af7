package fiql

import (
	"strings"
	"unicode/utf8"
)

// pattern is a value taken apart at its wildcards: the whole text, or a prefix,
// a suffix and one text that floats between them, each possibly empty.
//
// One floating text is the most that has the same exact meaning in SQLite and
// PostgreSQL without a function that only one of them has: their LIKE disagree
// about case. Clients send a*, *a and *a*.
type pattern struct {
	exact    bool // no wildcard: prefix is the whole text
	prefix   string
	floating string
	suffix   string
}

// parsePattern takes value apart. ok is false if more than one text floats.
func parsePattern(value string) (p pattern, ok bool) {
	pieces := strings.Split(value, "*")
	if len(pieces) == 1 {
		return pattern{exact: true, prefix: value}, true
	}
	p.prefix, p.suffix = pieces[0], pieces[len(pieces)-1]
	for _, piece := range pieces[1 : len(pieces)-1] {
		if piece == "" {
			continue
		}
		if p.floating != "" {
			return pattern{}, false
		}
		p.floating = piece
	}
	return p, true
}

// match says what sql says.
func (p pattern) match(text string) bool {
	if p.exact {
		return text == p.prefix
	}
	rest, ok := strings.CutPrefix(text, p.prefix)
	if !ok {
		return false
	}
	middle, ok := strings.CutSuffix(rest, p.suffix)
	return ok && strings.Contains(middle, p.floating)
}

// sql writes the condition with functions that count characters alike on both
// databases and never fold case. All client text is an argument.
func (p pattern) sql(b *builder, column string) {
	if p.exact {
		b.write(column+" = ?", p.prefix)
		return
	}
	before, after := utf8.RuneCountInString(p.prefix), utf8.RuneCountInString(p.suffix)
	b.write("(" + column + " IS NOT NULL")
	if before+after > 0 { // neither may lean on the other's characters: a*a is not a
		b.write(" AND length("+column+") >= ?", before+after)
	}
	if before > 0 {
		b.write(" AND substr("+column+", 1, ?) = ?", before, p.prefix)
	}
	if after > 0 {
		b.write(" AND substr("+column+", length("+column+") - ?) = ?", after-1, p.suffix)
	}
	if p.floating != "" {
		p.sqlFloating(b, column, before, after)
	}
	b.write(")")
}

// sqlFloating asks whether taking the text away changes what is left between
// prefix and suffix. The CASE is there because PostgreSQL may compute this for
// rows that are too short, and fails on a negative length.
func (p pattern) sqlFloating(b *builder, column string, before, after int) {
	if before+after == 0 {
		b.write(" AND replace("+column+", ?, '') <> "+column, p.floating)
		return
	}
	middle := "substr(" + column + ", ?, CASE WHEN length(" + column + ") >= ? THEN length(" + column + ") - ? ELSE 0 END)"
	args := []any{before + 1, before + after, before + after}
	b.write(" AND replace("+middle+", ?, '') <> "+middle, append(append(append([]any{}, args...), p.floating), args...)...)
}
