package cef

import (
	"strconv"
	"strings"
)

// Event is one line. Its time is among the fields.
type Event struct {
	Vendor, Product, Version string
	// Class says what kind of event it is, and Name the same for people.
	Class, Name string
	Severity    int // 0 to 10
	Fields      []Field
}

// Field is a pair of the extension. Key is a word of the format's dictionary.
type Field struct{ Key, Value string }

// String is the event as one line, without its end. Fields without a value are left
// out.
func (e Event) String() string {
	var b strings.Builder
	b.WriteString("CEF:0")
	for _, part := range []string{e.Vendor, e.Product, e.Version, e.Class, e.Name, strconv.Itoa(min(max(e.Severity, 0), 10))} {
		b.WriteByte('|')
		b.WriteString(header.Replace(clean(part)))
	}
	b.WriteByte('|')
	first := true
	for _, f := range e.Fields {
		if f.Value == "" {
			continue
		}
		if !first {
			b.WriteByte(' ')
		}
		first = false
		b.WriteString(f.Key)
		b.WriteByte('=')
		b.WriteString(extension.Replace(clean(f.Value)))
	}
	return b.String()
}

var (
	// A header is one line: what would break it becomes a space. Equals signs need
	// nothing there.
	header = strings.NewReplacer(`\`, `\\`, `|`, `\|`, "\r\n", " ", "\n", " ", "\r", " ")
	// Pipes need nothing in the extension.
	extension = strings.NewReplacer(`\`, `\\`, `=`, `\=`, "\r", `\r`, "\n", `\n`)
)

// clean is s in UTF-8 without the characters that the format has no word for, and
// which terminals take for commands.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\r' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
