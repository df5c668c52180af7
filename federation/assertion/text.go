package assertion

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"causeway/tenants"
)

// uuids reports whether all are in the one spelling we write.
func uuids(ids ...string) bool {
	for _, id := range ids {
		if canonical, err := tenants.ParseUUID(id); err != nil || canonical != id {
			return false
		}
	}
	return true
}

// plain reports whether s may end in a log or a message as it is.
func plain(s string) bool {
	return len(s) <= maxName && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}
