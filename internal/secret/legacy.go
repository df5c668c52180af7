package secret

import "encoding/hex"

// legacyBytes is the size of the opaque session tokens of VCD's old API.
const legacyBytes = 16

// LegacyToken returns a new opaque session token: 32 hexadecimal digits, the
// form that clients of VCD's old API expect.
func LegacyToken() string {
	b := make([]byte, legacyBytes)
	random(b)
	return hex.EncodeToString(b)
}

// IsLegacyToken reports whether s has the form that LegacyToken gives. It sets
// such tokens apart from access tokens, and from the names that clients put where
// a token should be.
func IsLegacyToken(s string) bool {
	if len(s) != 2*legacyBytes {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
