package appflow

import (
	"strings"
	"unicode"
)

// maxText is how much of a server's words is shown.
const maxText = 500

// clean makes a server's words safe for a terminal: one line, no control or
// invisible character, of bounded length.
func clean(s string) string {
	runes := 0
	return strings.Map(func(r rune) rune {
		if runes++; runes > maxText {
			return -1
		}
		if !unicode.IsPrint(r) {
			return '�'
		}
		return r
	}, s)
}
