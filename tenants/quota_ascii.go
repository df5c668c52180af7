package tenants

import (
	"fmt"
	"strings"
	"unicode/utf16"
)

// ascii escapes everything else in JSON text: a header that is not ASCII means
// something different to each server.
func ascii(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r < 0x7f {
			b.WriteRune(r)
			continue
		}
		if high, low := utf16.EncodeRune(r); r > 0xffff {
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		} else {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
