package fiql

// The three conditions on one field. Each != also holds for NULL, which SQL
// alone would drop from a list of everything that is not so.

type textCondition struct {
	field Field
	Comparison
	pattern pattern
}

func (c textCondition) sql(b *builder) {
	if c.Op == Equal {
		c.pattern.sql(b, c.field.Column)
		return
	}
	b.write("(" + c.field.Column + " IS NULL OR NOT ")
	c.pattern.sql(b, c.field.Column)
	b.write(")")
}

func (c textCondition) match(row Lookup) bool {
	text, ok := row(c.Selector)
	if ok && c.field.Kind == URN {
		text, ok = c.field.parseURN(text)
	}
	return (ok && c.pattern.match(text)) == (c.Op == Equal)
}

type numberCondition struct {
	field Field
	Comparison
	value span
}

// bigint keeps pgx from sending the argument as a column's narrower integer,
// which fails for numbers that do not fit it.
const bigint = "CAST(? AS BIGINT)"

func (c numberCondition) sql(b *builder) {
	column, v := c.field.Column, c.value
	switch c.Op {
	case Equal:
		b.write(column+" BETWEEN "+bigint+" AND "+bigint, v.low, v.high)
	case NotEqual:
		b.write("("+column+" IS NULL OR "+column+" NOT BETWEEN "+bigint+" AND "+bigint+")", v.low, v.high)
	case Greater:
		b.write(column+" > "+bigint, v.high)
	case GreaterOrEqual:
		b.write(column+" >= "+bigint, v.low)
	case Less:
		b.write(column+" < "+bigint, v.low)
	case LessOrEqual:
		b.write(column+" <= "+bigint, v.high)
	}
}

func (c numberCondition) match(row Lookup) bool {
	text, ok := row(c.Selector)
	v, fits := c.field.parseNumber(text)
	if !ok || !fits {
		return c.Op == NotEqual
	}
	switch c.Op {
	case Equal:
		return c.value.low <= v && v <= c.value.high
	case NotEqual:
		return v < c.value.low || c.value.high < v
	case Greater:
		return v > c.value.high
	case GreaterOrEqual:
		return v >= c.value.low
	case Less:
		return v < c.value.low
	default:
		return v <= c.value.high
	}
}

type boolCondition struct {
	field Field
	Comparison
	value bool
}

func (c boolCondition) sql(b *builder) {
	if c.Op == Equal {
		b.write(c.field.Column+" = ?", c.value)
		return
	}
	b.write("("+c.field.Column+" IS NULL OR "+c.field.Column+" <> ?)", c.value)
}

func (c boolCondition) match(row Lookup) bool {
	text, ok := row(c.Selector)
	v, fits := parseBool(text)
	return (ok && fits && v == c.value) == (c.Op == Equal)
}
