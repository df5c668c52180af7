package jose

import "strings"

// TypeOf is what a token says of its type (RFC 7515 §4.1.9), empty where it says
// nothing or cannot be read. Nobody has vouched for it yet: it only tells which
// rules to judge the token by.
func TypeOf(token string) string {
	head, _, ok := strings.Cut(token, ".")
	if !ok || len(head) > maxHeader {
		return ""
	}
	header, err := readHeader(head)
	if err != nil {
		return ""
	}
	return header["typ"]
}

// maxHeader is in characters of base64; ours are about 120.
const maxHeader = 512
