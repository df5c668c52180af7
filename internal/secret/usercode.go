package secret

import "strings"

// userCodeAlphabet has no vowels, so that no code spells a word, and neither 0 O
// 1 I nor Z, which people mistake for one another or for 2. Smaller would be
// clearer still, but 28 letters are the fewest that keep guessing below 2^-32 for
// a code's life: 28^8 codes against the 60 wrong tries an hour that an
// organization gets.
const userCodeAlphabet = "BCDFGHJKLMNPQRSTVWXY23456789"

const (
	userCodeLength = 8
	// userCodeEntry bounds what a person may type for one code. Spaces and
	// dashes are forgiven, an essay is not.
	userCodeEntry = 64
)

// UserCode returns a code for a person to type, XXXX-XXXX: 28^8 of them, 38.4
// bits. That is too few to stand alone. The limits on tries carry the rest, and
// the store keeps a keyed digest (Keys.Digest), never a plain hash.
func UserCode() string { return dashed(spell(userCodeAlphabet, userCodeLength, random)) }

// NormalizeUserCode gives the canonical XXXX-XXXX of what a person typed or
// pasted: either case, with spaces and dashes of any kind anywhere. ok is false
// for anything that cannot be a user code.
func NormalizeUserCode(s string) (code string, ok bool) {
	if len(s) > userCodeEntry {
		return "", false
	}
	bare := make([]byte, 0, userCodeLength)
	for _, r := range s {
		if ignorable(r) {
			continue
		}
		// ASCII only: Unicode's case rules would turn the Kelvin sign into a K.
		if r >= 'a' && r <= 'z' {
			r -= 'a' - 'A'
		}
		if len(bare) == userCodeLength || !strings.ContainsRune(userCodeAlphabet, r) {
			return "", false
		}
		bare = append(bare, byte(r))
	}
	if len(bare) != userCodeLength {
		return "", false
	}
	return dashed(string(bare)), true
}

func dashed(code string) string {
	return code[:userCodeLength/2] + "-" + code[userCodeLength/2:]
}

// ignorable tells the spaces and dashes that keyboards, mail programs and word
// processors put into a code.
func ignorable(r rune) bool {
	switch r {
	case ' ', '\t', '\r', '\n', '-', '_',
		'\u00a0', '\u2009', '\u202f', // spaces that do not break
		'\u00ad', '\u2010', '\u2011', '\u2012', '\u2013', '\u2014', '\u2212':
		return true
	}
	return false
}
