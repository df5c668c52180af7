package trail

import (
	"strings"

	"causeway/internal/journal"
)

// alarming is what somebody should look at whenever it happens.
var alarming = map[journal.Action]bool{
	journal.FamilyReplayed: true, // a token was used twice: somebody may have copied it
}

// Alarming reports whether r says that something happened which should not.
func (r Record) Alarming() bool { return alarming[r.Entry.Action] }

// severity is how much a row matters, from 0 to 10: 8 what should not happen, 5 what
// gives or takes power, 3 other changes, 1 what the gateway does by itself.
func severity(r Record) int {
	kind, _, _ := strings.Cut(string(r.Entry.Action), ".")
	switch {
	case r.Alarming():
		return 8
	case r.Entry.Actor.Kind == journal.System.Kind:
		return 1
	case strings.Contains(kind, "role") || strings.Contains(kind, "Role") || kind == "rightsBundle" || strings.HasSuffix(kind, "Association") || kind == "key":
		return 5
	}
	return 3
}
