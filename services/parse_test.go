package services_test

import (
	"errors"
	"testing"

	"causeway/internal/problem"
	"causeway/services"
)

// Whoever writes a document is told in which line it cannot be read.
func TestParseDefinition_SaysTheLine(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		line       int // 0: it is not the reading that fails
	}{
		{"a member that there is none of", "name: a\nprefix: b\nrule: c\n", 3},
		{"a list for a text", "name: a\nprefix:\n  - b\n", 3},
		{"bad indentation", "name: a\nroles:\n  - name: b\n   permissions: []\n", 4},
		{"an anchor", "name: a\n\ndescription: &x b\n", 3},
		{"too deep", "name: a\nroles: [[[[[[[[[[]]]]]]]]]]\n", 2},
		{"JSON that breaks off", "{\n\"name\": \"a\",\n\"prefix\" \"b\"}", 3},
		{"a number for a text in JSON", "{\n\"name\": \"a\",\n\"prefix\": 1}", 3},
		{"nothing that hangs together", "name: a\nprefix: b\n", 0},
	} {
		_, err := services.ParseDefinition([]byte(tt.text))
		at, _ := errors.AsType[services.Misread](err)
		if !problem.Has(err, problem.BadRequest) || at.Line != tt.line {
			t.Errorf("%s: line %d, want %d: %v", tt.name, at.Line, tt.line, err)
		}
	}
}
