package oauth

import (
	"sync/atomic"
	"time"
	"unique"

	"github.com/google/uuid"

	"causeway/tenants"
)

// liveSession is what a cell remembers of a token. It may remember a million of
// them, so what tokens have alike is kept once.
type liveSession struct {
	of      unique.Handle[holder]
	id      uuid.UUID
	from    int64        // Unix microseconds, as all here
	until   int64        // when it is good no more
	used    atomic.Int64 // last use
	flushed atomic.Int64 // last use known to the database
}

// holder is what all tokens say that one principal got in one way.
type holder struct {
	class  unique.Handle[class]
	id     string
	name   string
	family string // the API token that opened the session; empty for others
	quota  *tenants.Quota
	epoch  int64
}

// class is what holders of one kind in one organization have alike.
type class struct {
	kind       tenants.PrincipalKind
	softwareID string
	role       tenants.RoleID
	home       tenants.LocationID
	owner      tenants.OrgID // of an app: the organization that made it
	key        string        // id of the key that signed the token; empty for opaque ones
}

// newLiveSession remembers a token that nobody has used yet. A session whose identifier
// is not one that we make is problem.Unauthenticated.
func newLiveSession(of holder, id tenants.SessionID, from, until time.Time) (*liveSession, error) {
	parsed, err := uuid.Parse(string(id))
	if err != nil || parsed.String() != string(id) {
		return nil, unauthenticated()
	}
	return &liveSession{of: unique.Make(of), id: parsed, from: from.UnixMicro(), until: until.UnixMicro()}, nil
}

func (s *liveSession) session() tenants.SessionID { return tenants.SessionID(s.id.String()) }
func (s *liveSession) issued() time.Time          { return time.UnixMicro(s.from).UTC() }
func (s *liveSession) expires() time.Time         { return time.UnixMicro(s.until).UTC() }
func (s *liveSession) expired(now time.Time) bool { return !now.Before(s.expires()) }
func (s *liveSession) lastUsed() time.Time        { return time.UnixMicro(s.used.Load()) }

// holds is who holds the token, and of which class. Of the session itself, and of what
// organization and role are called, the principal says nothing.
func (s *liveSession) holds() (tenants.Principal, class) {
	h := s.of.Value()
	c := h.class.Value()
	return tenants.Principal{
		Kind: c.kind, ID: h.id, Name: h.name, SoftwareID: c.softwareID, Org: c.home.Org, Role: c.role,
		Home: c.home, Quota: h.quota, Epoch: h.epoch,
	}, c
}

// named is the principal with what the organization and the role are called now.
func (s *liveSession) named(org *tenants.Snapshot) tenants.Principal {
	who, _ := s.holds()
	who.Session = s.session()
	who.OrgName = org.Name
	who.RoleName, _ = org.RoleName(who.Role)
	return who
}

// idles says whether the session has a row that knows of its use. A token of an app
// has none: it ends when it says.
func (s *liveSession) idles() bool { return s.of.Value().class.Value().kind != tenants.KindApp }

// What the journal may name of a session.
const (
	sessionTag   = "session "
	principalTag = "principal "
	orgTag       = "organization "
	apiTokenTag  = "API token "
	keyTag       = "key "
)

func tags(s *liveSession) []string {
	p, of := s.holds()
	tags := []string{sessionTag + string(s.session()), principalTag + p.ID, orgTag + string(p.Org)}
	if of.owner != "" && of.owner != p.Org {
		tags = append(tags, orgTag+string(of.owner))
	}
	if family := s.of.Value().family; family != "" {
		tags = append(tags, apiTokenTag+family)
	}
	if of.key != "" {
		tags = append(tags, keyTag+of.key)
	}
	return tags
}
