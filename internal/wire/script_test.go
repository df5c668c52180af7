package wire

// A script is a sequence of exchanges with one site, east:
//
//	# Comments, as many as wanted. One line of them has a meaning:
//	# also through a peer
//
//	== what this step shows VCD-67
//	POST /oauth/tenant/acme/device_authorization
//	Content-Type: application/x-www-form-urlencoded
//
//	client_id=$client
//	--
//	200
//	Content-Type: application/json
//	Location:
//
//	{"device_code":"<device-code>",\
//	 "user_code":"<user-code>"}
//	--
//	$code = .device_code
//
// The request is a method and a path, headers, an empty line and the body.
// The answer is a status, headers that must be there once each (without a value:
// must not be there), an empty line and the body, which must agree to the byte;
// without that empty line the body is not looked at, and with nothing but a -- behind
// it the body must be empty. A backslash at the end of a line joins it with the
// next, less the blanks there, so that long JSON can be read. The newline at the
// end of a body is not looked at.
//
// $name stands for a variable, $$ for a dollar. They are captured from the
// answer as .member (of JSON; .values.0.id goes deeper), as a header's name, or
// as /regexp/ whose first group is taken from the body. variables_test.go lists
// those that exist from the start. base64(...) encodes, in headers only.
//
// In expectations <uuid>, <time> and the other names of the table placeholders
// stand for anything of that form.
//
// A script that is marked runs a second time with everything that $admin and
// $bot ask going to west, with the context of east's organization.

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// placeholders are what a body or header may be about without being known.
var placeholders = map[string]string{
	"uuid":          `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`,
	"time":          `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`,
	"jwt":           `[\w-]{20,}\.[\w-]{20,}\.[\w-]{20,}`,
	"device-code":   `[\w-]{43}`,
	"opaque":        `[0-9a-f]{32}`,
	"user-code":     `[A-Z0-9]{4}-[A-Z0-9]{4}`,
	"refresh-token": `[0-9A-Za-z]{32}`,
	"int":           `\d+`,
	"any":           `[^\n]*`,
	"lines":         `(?s:.*)`,
}

type script struct {
	name  string
	peer  bool // also through a peer
	steps []step
}

type step struct {
	title  string
	line   int
	method string
	path   string
	header []field
	body   string

	status     int
	wantHeader []field
	wantBody   *string // nil: not looked at
	captures   []capture
}

type field struct{ name, value string }

type capture struct{ variable, from string }

const peerMark = "# also through a peer"

func readScripts(t *testing.T) []script {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	var all []script
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := parse(strings.TrimSuffix(filepath.Base(file), ".txt"), string(text))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, s)
	}
	return all
}

func parse(name, text string) (script, error) {
	s := script{name: name}
	lines := strings.Split(text, "\n")
	start := -1
	for i := 0; i <= len(lines); i++ {
		if i < len(lines) && !strings.HasPrefix(lines[i], "== ") {
			if start < 0 {
				if l := lines[i]; l != "" && !strings.HasPrefix(l, "#") {
					return s, fmt.Errorf("line %d: before the first step there are only comments", i+1)
				}
				s.peer = s.peer || lines[i] == peerMark
			}
			continue
		}
		if start >= 0 {
			st, err := parseStep(lines[start:i], start+1)
			if err != nil {
				return s, err
			}
			s.steps = append(s.steps, st)
		}
		start = i
	}
	if len(s.steps) == 0 {
		return s, fmt.Errorf("there is no step")
	}
	return s, nil
}

func parseStep(lines []string, at int) (st step, err error) {
	st.title, st.line = strings.TrimPrefix(lines[0], "== "), at
	fault := func(format string, args ...any) (step, error) {
		return st, fmt.Errorf("the step at line %d: "+format, append([]any{at}, args...)...)
	}
	var sections [][]string
	section := []string{}
	for _, l := range join(lines[1:]) {
		if l == "--" {
			sections, section = append(sections, section), []string{}
			continue
		}
		section = append(section, l)
	}
	sections = append(sections, section)
	if len(sections) != 2 && len(sections) != 3 {
		return fault("want a request, an answer and perhaps captures, with -- between")
	}
	head, header, body, err := parseMessage(sections[0], len(sections) > 1)
	if err != nil {
		return fault("%w", err)
	}
	var ok bool
	if st.method, st.path, ok = strings.Cut(head, " "); !ok || !strings.HasPrefix(st.path, "/") {
		return fault("%q is no method and path", head)
	}
	st.header = header
	if body != nil {
		st.body = *body
	}
	if head, st.wantHeader, st.wantBody, err = parseMessage(sections[1], len(sections) > 2); err != nil {
		return fault("%w", err)
	}
	if st.status, err = strconv.Atoi(head); err != nil {
		return fault("%q is no status", head)
	}
	if len(sections) == 3 {
		for _, l := range sections[2] {
			if l == "" {
				continue
			}
			name, from, ok := strings.Cut(l, " = ")
			if !ok || !strings.HasPrefix(name, "$") {
				return fault("%q captures nothing", l)
			}
			st.captures = append(st.captures, capture{name[1:], from})
		}
	}
	return st, nil
}

// parseMessage reads a first line, headers, and the body behind the empty line.
// closed says that a -- follows; else the empty lines at the end separate steps.
func parseMessage(lines []string, closed bool) (head string, header []field, body *string, err error) {
	if !closed {
		for len(lines) > 0 && lines[len(lines)-1] == "" {
			lines = lines[:len(lines)-1]
		}
	}
	if len(lines) == 0 {
		return "", nil, nil, fmt.Errorf("a message is missing")
	}
	head = lines[0]
	for i, l := range lines[1:] {
		if l == "" {
			text := strings.Join(lines[i+2:], "\n")
			return head, header, &text, nil
		}
		name, value, ok := strings.Cut(l, ":")
		if !ok {
			return "", nil, nil, fmt.Errorf("%q is no header", l)
		}
		header = append(header, field{http.CanonicalHeaderKey(name), strings.TrimSpace(value)})
	}
	return head, header, nil, nil
}

// join puts lines together that end in a backslash.
func join(lines []string) []string {
	var joined []string
	more := false
	for _, l := range lines {
		if more {
			l = joined[len(joined)-1] + strings.TrimLeft(l, " ")
			joined = joined[:len(joined)-1]
		}
		l, more = strings.CutSuffix(l, `\`)
		joined = append(joined, l)
	}
	return joined
}

// variables are the words that scripts use for what differs between runs.
type variables map[string]string

var variable = regexp.MustCompile(`\$(\$|[a-z_0-9]+)`)

func (v variables) expand(s string) (string, error) {
	var missing error
	out := variable.ReplaceAllStringFunc(s, func(word string) string {
		if word == "$$" {
			return "$"
		}
		value, ok := v[word[1:]]
		if !ok {
			missing = fmt.Errorf("there is no variable %s", word)
		}
		return value
	})
	return out, missing
}

var placeholder = regexp.MustCompile(`<[a-z-]+>`)

// pattern makes the expression that an expectation stands for.
func pattern(want string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString("^")
	rest := want
	for rest != "" {
		at := placeholder.FindStringIndex(rest)
		if at == nil {
			break
		}
		b.WriteString(regexp.QuoteMeta(rest[:at[0]]))
		if form, ok := placeholders[rest[at[0]+1:at[1]-1]]; ok {
			b.WriteString(form)
		} else {
			b.WriteString(regexp.QuoteMeta(rest[at[0]:at[1]])) // XML
		}
		rest = rest[at[1]:]
	}
	b.WriteString(regexp.QuoteMeta(rest) + "$")
	return regexp.MustCompile(b.String())
}

// take reads a captured value from an answer.
func take(from string, header http.Header, body []byte) (string, error) {
	switch {
	case strings.HasPrefix(from, "/") && strings.HasSuffix(from, "/") && len(from) > 2:
		re, err := regexp.Compile(from[1 : len(from)-1])
		if err != nil {
			return "", err
		}
		found := re.FindSubmatch(body)
		if len(found) != 2 {
			return "", fmt.Errorf("%s does not match", from)
		}
		return string(found[1]), nil
	case strings.HasPrefix(from, "."):
		var at any
		if err := json.Unmarshal(body, &at); err != nil {
			return "", err
		}
		for name := range strings.SplitSeq(from[1:], ".") {
			switch here := at.(type) {
			case map[string]any:
				at = here[name]
			case []any:
				i, err := strconv.Atoi(name)
				if err != nil || i < 0 || i >= len(here) {
					return "", fmt.Errorf("%s: there is no %s", from, name)
				}
				at = here[i]
			default:
				return "", fmt.Errorf("%s: there is no %s", from, name)
			}
		}
		text, ok := at.(string)
		if !ok {
			return "", fmt.Errorf("%s is no text", from)
		}
		return text, nil
	default:
		if v := header.Values(from); len(v) == 1 {
			return v[0], nil
		}
		return "", fmt.Errorf("the header %s is not there once", from)
	}
}
