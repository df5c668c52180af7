package tenants

import (
	"encoding/binary"
	"strings"
	"time"

	"github.com/google/uuid"

	"causeway/internal/problem"
)

// An identifier is a lower-case hexadecimal UUID without its URN prefix: the
// clients' patterns accept only [a-f0-9].
type (
	OrgID     string
	UserID    string
	RoleID    string
	SiteID    string
	SessionID string
)

// SystemOrgID is the provider organization's identifier, the same at every site.
const SystemOrgID OrgID = "a93c9db9-7471-3192-8d09-a8f7eeda85f9"

// SystemOrgName is compared without regard to case.
const SystemOrgName = "System"

// NewID returns a random identifier (UUID v4).
func NewID() string { return uuid.NewString() }

// NewSessionID returns an identifier for a session that begins at t (UUID v7, RFC 9562
// section 5.7). Sessions are many and come and go: by such ids the new ones are
// neighbours in the index, and those that are over are found without a look at the
// others. The time is the session's own, to the millisecond, not that of the machine.
func NewSessionID(t time.Time) SessionID {
	id := uuid.New()
	lead(&id, t)
	id[6] = id[6]&0x0f | 0x70
	return SessionID(id.String())
}

// FirstSessionID comes before every id of a session that begins at t or later, and
// after those of earlier ones, down to the millisecond.
func FirstSessionID(t time.Time) SessionID {
	var id uuid.UUID
	lead(&id, t)
	return SessionID(id.String())
}

// lead writes the time into the first 48 bits.
func lead(id *uuid.UUID, t time.Time) {
	ms := uint64(max(t.UnixMilli(), 0))
	binary.BigEndian.PutUint16(id[0:], uint16(ms>>32))
	binary.BigEndian.PutUint32(id[2:], uint32(ms))
}

// URN writes id as urn:vcloud:<kind>:<id>.
func URN[T ~string](kind string, id T) string { return "urn:vcloud:" + kind + ":" + string(id) }

// ParseID reads an identifier that clients send either bare or as
// urn:vcloud:<kind>:<uuid>. Anything else is problem.BadRequest.
func ParseID[T ~string](kind, s string) (T, error) {
	bare := s
	if len(s) > 4 && strings.EqualFold(s[:4], "urn:") {
		var ok bool
		if bare, ok = strings.CutPrefix(s, "urn:vcloud:"+kind+":"); !ok {
			return "", problem.New(problem.BadRequest, "This is not an identifier of a %s.", kind)
		}
	}
	id, err := ParseUUID(bare)
	if err != nil {
		return "", problem.New(problem.BadRequest, "This is not an identifier of a %s.", kind)
	}
	return T(id), nil
}

// ParseUUID accepts only the 36-character form and returns it in lower case;
// the library alone would also take braces, URNs and 32 digits.
func ParseUUID(s string) (string, error) {
	if len(s) != 36 {
		return "", problem.New(problem.BadRequest, "This is not a UUID.")
	}
	id, err := uuid.Parse(s)
	if err != nil {
		return "", problem.New(problem.BadRequest, "This is not a UUID.")
	}
	return id.String(), nil
}

// LocationID names an organization at a site: bare UUIDs, org@site.
type LocationID struct {
	Org  OrgID
	Site SiteID
}

// Compare orders locations as lists of several have them: as their text.
func (l LocationID) Compare(m LocationID) int { return strings.Compare(l.String(), m.String()) }

func (l LocationID) String() string { return string(l.Org) + "@" + string(l.Site) }

// ParseLocationID reads org@site. ok is false for anything that is not exactly
// two UUIDs, so that an organization name with an @ stays a name.
func ParseLocationID(s string) (l LocationID, ok bool) {
	org, site, found := strings.Cut(s, "@")
	if !found {
		return LocationID{}, false
	}
	o, err := ParseUUID(org)
	if err != nil {
		return LocationID{}, false
	}
	t, err := ParseUUID(site)
	if err != nil {
		return LocationID{}, false
	}
	return LocationID{OrgID(o), SiteID(t)}, true
}

// FoldName is how names of organizations are compared when a caller asks for
// one by header or login: without regard to case.
func FoldName(name string) string { return strings.ToLower(name) }
