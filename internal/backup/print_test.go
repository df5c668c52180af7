package backup_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// printed is a row on a line, the same whichever database it is from.
func printed(row map[string]any) string {
	line := " "
	for _, name := range slices.Sorted(maps.Keys(row)) {
		if b, ok := row[name].([]byte); ok {
			row[name] = fmt.Sprintf("%x", b)
		}
		line += fmt.Sprintf("%s=%v ", name, row[name])
	}
	return line
}

// hashOf is the password's hash in a printed user.
func hashOf(line string) string {
	_, rest, _ := strings.Cut(line, " password_hash=")
	hash, _, _ := strings.Cut(rest, " ")
	return hash
}
