package fiql

import (
	"strings"
	"unicode/utf8"

	"causeway/internal/problem"
)

// Filters come from anybody who may list something, so their cost is bounded:
// the length bounds the parser, the depth its recursion, and the number of
// comparisons what the database has to evaluate for each row.
const (
	maxLength      = 4096
	maxDepth       = 32
	maxComparisons = 64
)

// Parse reads a filter that has been URL-decoded once. Values are taken as they
// stand, with spaces, colons and slashes, up to the next ; , or ) that is not
// within parentheses of the value itself. Faults are problem.BadRequest and name
// the character where they are.
func Parse(filter string) (Node, error) {
	if len(filter) > maxLength {
		return nil, problem.New(problem.BadRequest, "The filter is longer than %d bytes.", maxLength)
	}
	if filter == "" {
		return And{}, nil
	}
	p := parser{text: filter}
	if at := unprintable(filter); at >= 0 {
		return nil, p.fault(at, "a character that cannot be part of a filter")
	}
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.pos < len(p.text) {
		return nil, p.fault(p.pos, "a closing parenthesis that none opens")
	}
	return n, nil
}

type parser struct {
	text        string
	pos         int // of the next byte
	depth       int
	comparisons int
}

// fault counts characters from 1, as the person does who looks at the filter.
func (p *parser) fault(at int, found string) error {
	return problem.New(problem.BadRequest, "The filter is not valid: at character %d there is %s.",
		utf8.RuneCountInString(p.text[:at])+1, found)
}

func (p *parser) or() (Node, error) {
	nodes, err := p.list(',', p.and)
	if err != nil || len(nodes) > 1 {
		return Or(nodes), err
	}
	return nodes[0], nil
}

func (p *parser) and() (Node, error) {
	nodes, err := p.list(';', p.term)
	if err != nil || len(nodes) > 1 {
		return And(nodes), err
	}
	return nodes[0], nil
}

// list reads one item or more with sep between them.
func (p *parser) list(sep byte, item func() (Node, error)) ([]Node, error) {
	var nodes []Node
	for {
		n, err := item()
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
		if !p.take(sep) {
			return nodes, nil
		}
	}
}

func (p *parser) term() (Node, error) {
	open := p.pos
	if !p.take('(') {
		return p.comparison()
	}
	if p.depth++; p.depth > maxDepth {
		return nil, p.fault(open, "more than 32 parentheses within one another")
	}
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	if !p.take(')') {
		return nil, p.fault(open, "a parenthesis that is not closed")
	}
	p.depth--
	return n, nil
}

func (p *parser) comparison() (Node, error) {
	start := p.pos
	if p.comparisons++; p.comparisons > maxComparisons {
		return nil, p.fault(start, "one comparison more than the 64 allowed")
	}
	for p.pos < len(p.text) && selectorByte(p.text[p.pos]) {
		p.pos++
	}
	selector := p.text[start:p.pos]
	if selector == "" {
		return nil, p.fault(start, "no name of a field")
	}
	for _, op := range ops {
		if strings.HasPrefix(p.text[p.pos:], string(op)) {
			p.pos += len(op)
			value, err := p.value()
			return Comparison{selector, op, value}, err
		}
	}
	return nil, p.fault(p.pos, "no operator (one of == != =gt= =ge= =lt= =le=)")
}

// value reads to the next ; , or ) that the value's own parentheses do not hold.
// One that it opens and does not close is a fault: guessing where such a value
// ends would silently widen or narrow the list.
func (p *parser) value() (string, error) {
	start, open := p.pos, []int{}
	for ; p.pos < len(p.text); p.pos++ {
		c := p.text[p.pos]
		if len(open) == 0 && (c == ';' || c == ',' || c == ')') {
			break
		}
		switch c {
		case '(':
			open = append(open, p.pos)
		case ')':
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		return "", p.fault(open[0], "a parenthesis that is not closed")
	}
	return p.text[start:p.pos], nil
}

func (p *parser) take(c byte) bool {
	if p.pos < len(p.text) && p.text[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

func selectorByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_'
}

// unprintable finds what no name contains and databases choke on: PostgreSQL
// fails on a zero byte or broken UTF-8 in a parameter.
func unprintable(s string) int {
	for i, r := range s {
		if r < ' ' || r == 0x7f {
			return i
		}
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return i
			}
		}
	}
	return -1
}
