package tenants

import (
	"unicode"
	"unicode/utf8"

	"causeway/internal/problem"
)

// maxText bounds texts that are kept and shown, in bytes.
const maxText = 4096

// checkText bounds a text that is kept and shown. what names it to the client.
func checkText(what, text string) error {
	if len(text) > maxText || !utf8.ValidString(text) || hasControl(text) {
		return problem.New(problem.BadRequest, "The %s has at most %d bytes and no control characters.", what, maxText)
	}
	return nil
}

// hasControl reports characters that are no text. Line breaks and tabs are.
func hasControl(s string) bool {
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
			return true
		}
	}
	return false
}

// Changed lists old and new values, from pairs of both, as far as they differ:
// what an audit trail tells of an edit.
func Changed(pairs map[string][2]string) map[string]string {
	detail := map[string]string{}
	for name, pair := range pairs {
		if pair[0] != pair[1] {
			detail[name+".old"], detail[name+".new"] = pair[0], pair[1]
		}
	}
	return detail
}
