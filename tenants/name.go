package tenants

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxName bounds names of every kind, in bytes: the longest that every client
// and every header of ours can carry.
const MaxName = 128

// ValidName reports whether a role or service account can be called this: up to
// MaxName bytes of UTF-8 without control characters, and no space around it.
func ValidName(name string) bool {
	return name != "" && len(name) <= MaxName && utf8.ValidString(name) && strings.TrimSpace(name) == name &&
		!strings.ContainsFunc(name, unicode.IsControl)
}
