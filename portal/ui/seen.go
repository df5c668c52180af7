package ui

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"causeway/internal/problem"
)

const fieldSeen = "seen"

// Seen is the field by which a form says what it showed, so that whoever saves it does
// not undo unseen what somebody else decided meanwhile. of is a value whose text tells
// one state from another.
func Seen(of any) Field { return Field{Kind: Hidden, Name: fieldSeen, Value: stamp(of)} }

// Meanwhile reports whether what the form showed is another by now.
func (v Values) Meanwhile(of any) bool {
	seen := v.Get(fieldSeen)
	return seen != "" && seen != stamp(of)
}

func stamp(of any) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v", of))
	return hex.EncodeToString(sum[:12])
}

// Meanwhile is the refusal of such a form, which is shown anew, as things are now.
func (s *Screen) Meanwhile() *problem.Problem {
	return problem.New(problem.Conflict, "%s", s.T("ui.meanwhile"))
}
