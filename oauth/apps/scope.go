package apps

import (
	"cmp"
	"slices"

	"causeway/services"
)

// scope is one of the things that tokens say of what somebody holds.
type scope struct {
	text string
	rank precedence
	// beside is the definition of which the holder must have a service role for the
	// scope to count (CSP-29), of a custom role's permission.
	beside services.DefinitionID
	role   string // of an instance's: what the role's other instances have alike
}

// precedence is what goes first where there is not room for all: what clients look for.
type precedence int

const (
	ofOrganization precedence = iota
	everywhere
	everywhereBare
	ofInstance
	ofCustom
)

const (
	// maxTold is how many bytes of scopes a token says: with the longest names that
	// apps have it is shorter than what we read back.
	maxTold = 4 << 10
	// instancesTold is how many instances of one role are named where not all are.
	instancesTold = 4
)

// told are the scopes that a token says, in the order in which they matter. Nothing
// is judged by them, so that what is left out takes nothing away.
func told(scopes []scope) []string {
	total := 0
	for _, s := range scopes {
		total += written(s.text)
	}
	all := total <= maxTold
	if !all {
		scopes = slices.Clone(scopes)
		slices.SortStableFunc(scopes, func(a, b scope) int { return cmp.Compare(a.rank, b.rank) })
	}
	texts, room, named := make([]string, 0, len(scopes)), maxTold, map[string]int{}
	for _, s := range scopes {
		if !all {
			if s.role != "" {
				named[s.role]++
			}
			if named[s.role] > instancesTold || written(s.text) > room {
				continue
			}
			room -= written(s.text)
		}
		texts = append(texts, s.text)
	}
	return texts
}

// written is how many bytes of JSON text takes at most, as one of a list.
func written(text string) int {
	n := len(`"",`)
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ' || c > '~' || c == '<' || c == '>' || c == '&':
			n += len(`\u003c`)
		case c == '"' || c == '\\':
			n += 2
		default:
			n++
		}
	}
	return n
}
