package fiql

import "strings"

// Lookup gives a row's value of a selector as the wire shows it, times with all
// their microseconds. ok is false where the row has none, the NULL of a database.
type Lookup func(selector string) (value string, ok bool)

// Filter is a filter bound to the fields of a list: every selector is allowed
// and every value fits.
type Filter struct{ root condition }

// Bind checks n against the fields of a list. Faults are problem.BadRequest.
func (fs Fields) Bind(n Node) (Filter, error) {
	c, err := fs.bindNode(n)
	return Filter{c}, err
}

// Compile is Parse's node as one SQL condition, for SQLite and PostgreSQL alike,
// with ? for each argument. The caller adds the organization.
func Compile(n Node, fields Fields) (sql string, args []any, err error) {
	f, err := fields.Bind(n)
	if err != nil {
		return "", nil, err
	}
	sql, args = f.SQL()
	return sql, args, nil
}

// SQL is the condition with its arguments, in parentheses where it needs them.
// The zero Filter, like the empty one, is "1 = 1".
func (f Filter) SQL() (string, []any) {
	if f.root == nil {
		f.root = group{all: true}
	}
	var b builder
	f.root.sql(&b)
	return b.text.String(), b.args
}

// Match evaluates the filter for one row in memory, with the answer that the
// database would give. A value that does not fit its field's kind counts as
// absent; an absent value differs from everything and is neither more nor less.
func (f Filter) Match(row Lookup) bool {
	return f.root == nil || f.root.match(row)
}

type condition interface {
	sql(*builder)
	match(Lookup) bool
}

// builder collects SQL beside the arguments of its placeholders.
type builder struct {
	text strings.Builder
	args []any
}

func (b *builder) write(sql string, args ...any) {
	b.text.WriteString(sql)
	b.args = append(b.args, args...)
}

func (fs Fields) bindNode(n Node) (condition, error) {
	switch n := n.(type) {
	case nil:
		return group{all: true}, nil
	case And:
		return fs.bindGroup(n, true)
	case Or:
		return fs.bindGroup(n, false)
	default:
		return fs.bind(n.(Comparison)) // the interface is closed
	}
}

func (fs Fields) bindGroup(nodes []Node, all bool) (condition, error) {
	g := group{all: all}
	for _, n := range nodes {
		c, err := fs.bindNode(n)
		if err != nil {
			return nil, err
		}
		g.parts = append(g.parts, c)
	}
	return g, nil
}

// group is an And (all) or an Or.
type group struct {
	all   bool
	parts []condition
}

func (g group) sql(b *builder) {
	empty, sep := "1 = 0", " OR "
	if g.all {
		empty, sep = "1 = 1", " AND "
	}
	if len(g.parts) == 0 {
		b.write(empty)
		return
	}
	b.write("(")
	for i, part := range g.parts {
		if i > 0 {
			b.write(sep)
		}
		part.sql(b)
	}
	b.write(")")
}

func (g group) match(row Lookup) bool {
	for _, part := range g.parts {
		if part.match(row) != g.all {
			return !g.all
		}
	}
	return g.all
}
