package fiql

import "strings"

// Node is a parsed filter: And, Or or Comparison. Its String is a filter that
// parses to the same node.
type Node interface {
	String() string
	node()
}

// And holds when all of its nodes do. The empty And holds always: it is what an
// empty filter parses to.
type And []Node

// Or holds when one of its nodes does.
type Or []Node

// Comparison compares the field that Selector names with Value. A * in Value
// stands for any text, if the field is text.
type Comparison struct {
	Selector string
	Op       Op
	Value    string
}

// Op is a comparison operator as the wire spells it.
type Op string

const (
	Equal          Op = "=="
	NotEqual       Op = "!="
	Greater        Op = "=gt="
	GreaterOrEqual Op = "=ge="
	Less           Op = "=lt="
	LessOrEqual    Op = "=le="
)

var ops = []Op{Equal, NotEqual, Greater, GreaterOrEqual, Less, LessOrEqual}

func (And) node()        {}
func (Or) node()         {}
func (Comparison) node() {}

func (c Comparison) String() string { return c.Selector + string(c.Op) + c.Value }

func (n And) String() string {
	return join(n, ";", func(child Node) bool {
		_, isComparison := child.(Comparison)
		return !isComparison
	})
}

func (n Or) String() string {
	return join(n, ",", func(child Node) bool {
		_, isOr := child.(Or) // an And binds tighter and needs none
		return isOr
	})
}

func join(nodes []Node, sep string, parenthesise func(Node) bool) string {
	var b strings.Builder
	for i, n := range nodes {
		if i > 0 {
			b.WriteString(sep)
		}
		if parenthesise(n) {
			b.WriteString("(" + n.String() + ")")
		} else {
			b.WriteString(n.String())
		}
	}
	return b.String()
}
