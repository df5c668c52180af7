package trail

import (
	"strings"

	"github.com/google/uuid"
)

// Key is an identifier by which an index of the journal finds rows.
type Key struct {
	Of KeyOf
	ID string
}

// KeyOf says whose identifier a [Key] is; of nothing is no key.
type KeyOf string

const (
	OfSubject KeyOf = "subject"
	OfActor   KeyOf = "actor"
	OfRequest KeyOf = "request"
)

// key is the part of the filter that leaves the fewest rows to look at.
func (f Filter) key() Key {
	switch {
	case f.RequestID != "":
		return Key{OfRequest, f.RequestID}
	case f.SubjectID != "":
		return Key{OfSubject, f.SubjectID}
	case whole(f.Subject) != "":
		return Key{OfSubject, whole(f.Subject)}
	case f.ActorID != "":
		return Key{OfActor, f.ActorID}
	case whole(f.Actor) != "":
		return Key{OfActor, whole(f.Actor)}
	}
	return Key{}
}

// whole is the identifier that wanted can only be: nobody types one to find it as a
// part of a name. It is empty where wanted may be a name.
func whole(wanted string) string {
	id, err := uuid.Parse(bare(wanted))
	if err != nil || len(bare(wanted)) != len(id.String()) {
		return ""
	}
	return id.String()
}

// bare is an identifier without what a URN has before it.
func bare(id string) string { return id[strings.LastIndexByte(id, ':')+1:] }

func is(wanted, id string) bool { return wanted == "" || wanted == id }
