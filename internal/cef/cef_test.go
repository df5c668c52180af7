package cef

import (
	"strings"
	"testing"
)

// The examples are those of the format's own paper, sections "Character Encoding".
func TestString(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		e          Event
	}{
		{"nothing else", `CEF:0|v|p|1|c|n|0|`, Event{Vendor: "v", Product: "p", Version: "1", Class: "c", Name: "n"}},
		{"pipes in the header", `CEF:0|security|threatmanager|1.0|100|detected a \| in message|10|src=10.0.0.1 act=blocked a | dst=1.1.1.1`, Event{
			Vendor: "security", Product: "threatmanager", Version: "1.0", Class: "100", Name: "detected a | in message", Severity: 10,
			Fields: []Field{{"src", "10.0.0.1"}, {"act", "blocked a |"}, {"dst", "1.1.1.1"}},
		}},
		{"backslashes", `CEF:0|v|p|1|c|detected a \\ in packet|10|act=blocked a \\`, Event{
			Vendor: "v", Product: "p", Version: "1", Class: "c", Name: `detected a \ in packet`, Severity: 11, Fields: []Field{{"act", `blocked a \`}},
		}},
		{"equals signs", `CEF:0|v|p|1|c|a = b|0|act=blocked a \=`, Event{
			Vendor: "v", Product: "p", Version: "1", Class: "c", Name: "a = b", Severity: -1, Fields: []Field{{"act", "blocked a ="}},
		}},
		{"lines", `CEF:0|v|p|1|c|one two three|0|msg=Detected a threat.\nNo action needed.\r`, Event{
			Vendor: "v", Product: "p", Version: "1", Class: "c", Name: "one\r\ntwo\nthree", Fields: []Field{{"none", ""}, {"msg", "Detected a threat.\nNo action needed.\r"}},
		}},
		{"what is no text", "CEF:0|v|p|1|c|a b|0|msg=\uFFFDx y", Event{
			Vendor: "v", Product: "p", Version: "1", Class: "c", Name: "a\x1bb", Fields: []Field{{"msg", "\xffx\x00y"}},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.e.String(); got != tt.want {
				t.Errorf("\n%s, want\n%s", got, tt.want)
			}
		})
	}
}

// Whatever values hold, a reader that takes the format by its word gets them back, on
// one line, and nobody's value becomes a field or an event.
func FuzzString(f *testing.F) {
	f.Add("a|b", `c\`, "d=e f=g\nCEF:0|")
	f.Add(`\|`, `\=`, `\n`)
	f.Add("\u2028", "\xff", " x=y")
	f.Fuzz(func(t *testing.T, name, one, two string) {
		line := Event{Vendor: "v", Product: "p", Version: "1", Class: "c", Name: name, Fields: []Field{{"one", one}, {"two", two}}}.String()
		if strings.ContainsAny(line, "\r\n\x00\x1b") {
			t.Fatalf("%q is more than one line", line)
		}
		head, rest := parts(line)
		if flat := strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " "); len(head) != 7 || head[5] != flat.Replace(clean(name)) {
			t.Fatalf("%q has the header %q", line, head)
		}
		got := fields(rest)
		for key, want := range map[string]string{"one": clean(one), "two": clean(two)} {
			if got[key] != want {
				t.Fatalf("%q has %s %q, want %q", line, key, got[key], want)
			}
			delete(got, key)
		}
		if len(got) > 0 {
			t.Fatalf("%q has %q, too", line, got)
		}
	})
}

// parts reads the seven fields of a header, and what follows.
func parts(line string) (head []string, rest string) {
	var b strings.Builder
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && i+1 < len(line):
			i++
			b.WriteByte(line[i])
		case c == '|':
			head = append(head, b.String())
			b.Reset()
			if len(head) == 7 {
				return head, line[i+1:]
			}
		default:
			b.WriteByte(c)
		}
	}
	return append(head, b.String()), ""
}

// fields reads an extension: a key is the word before an equals sign that no
// backslash stands before, and a value reaches up to the space before the next.
func fields(rest string) map[string]string {
	type pair struct{ key, at, value int } // where a key begins, its =, its value
	var found []pair
	for i := 0; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '=':
			found = append(found, pair{strings.LastIndexByte(rest[:i], ' ') + 1, i, i + 1})
		}
	}
	all := map[string]string{}
	for n, p := range found {
		end := len(rest)
		if n+1 < len(found) {
			end = found[n+1].key - 1
		}
		all[rest[p.key:p.at]] = strings.NewReplacer(`\\`, `\`, `\=`, `=`, `\n`, "\n", `\r`, "\r").Replace(rest[p.value:end])
	}
	return all
}
