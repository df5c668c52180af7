package contact

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"causeway/federation"
	"causeway/internal/problem"
	"causeway/tenants"
)

// Where sites ask each other, at their peer listeners.
const (
	HeartbeatPath   = "/federation/v1/heartbeat"
	OrgsPath        = "/federation/v1/orgs"
	RevocationsPath = "/federation/v1/revocations"
)

const (
	// MaxHeartbeat and maxAnswer bound what one site makes another read, in bytes.
	MaxHeartbeat = 8 << 10
	maxAnswer    = 1 << 20
	// maxPairs is how many pairs of organizations one answer tells of.
	maxPairs = 500
	// maxEnded is how many revocations one answer tells of.
	maxEnded = 500
	maxName  = 256
)

// Heartbeat is what a site says of itself and of the association, and the answer.
type Heartbeat struct {
	Site tenants.SiteID `json:"site"`
	Name string         `json:"name"`
	Time time.Time      `json:"time"`
	// BundleSeq and Head are the sequences of the site's bundle and of its journal:
	// who knows less has something to ask for.
	BundleSeq uint64 `json:"bundleSeq"`
	Head      int64  `json:"head"`
	API       Range  `json:"api"`
	// Holds is the status of the association as the sender sees it. HoldsYou is
	// false in the last word of a site that has removed it.
	Holds    federation.Status `json:"holds,omitempty"`
	HoldsYou bool              `json:"holdsYou"`
}

// Range are the API versions that a site speaks, by their first number.
type Range struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

// Versions is the range of a list of versions like 37.0.
func Versions(list []string) Range {
	var r Range
	for _, v := range list {
		major, _, _ := strings.Cut(v, ".")
		n, err := strconv.Atoi(major)
		if err != nil {
			continue
		}
		if r.Min == 0 || n < r.Min {
			r.Min = n
		}
		r.Max = max(r.Max, n)
	}
	return r
}

// fits reports whether sites can work together: their versions are equal or one
// apart, as VCD has it.
func (r Range) fits(other Range) bool { return other.Min-r.Max <= 1 && r.Min-other.Max <= 1 }

// ParseHeartbeat reads a heartbeat. Members that it does not know are from a
// newer version.
func ParseHeartbeat(body []byte) (Heartbeat, error) {
	var h Heartbeat
	if err := decode(body, MaxHeartbeat, &h); err != nil {
		return Heartbeat{}, err
	}
	id, err := tenants.ParseUUID(string(h.Site))
	switch {
	case err != nil:
		return Heartbeat{}, malformed("site is no UUID")
	case len(h.Name) > maxName, len(h.Holds) > 32:
		return Heartbeat{}, malformed("a text is too long")
	case h.Time.IsZero() || h.Time.Year() > 9999:
		return Heartbeat{}, malformed("time is missing")
	case h.Head < 0:
		return Heartbeat{}, malformed("head is negative")
	case h.API.Min < 1 || h.API.Max < h.API.Min || h.API.Max > 1<<16:
		return Heartbeat{}, malformed("api is no range")
	}
	h.Site = tenants.SiteID(id)
	return h, nil
}

// Place is where a page of the directory ends.
type Place = federation.Pair

// OrgPage tells which organizations of a site are associated with organizations
// of the asking one. Pairs that the asking site does not hold are among them.
type OrgPage struct {
	// Seq is up to where in the answering site's journal this is complete.
	Seq int64 `json:"seq"`
	// Whole pages hold every pair after the place asked for, and Held is true in
	// each. Else there are those that changed since the sequence asked for.
	Whole bool        `json:"whole"`
	More  bool        `json:"more,omitempty"` // ask again, after the last pair
	Pairs []PairState `json:"pairs"`
}

// PairState is one pair, as the answering site has it.
type PairState struct {
	Org     tenants.OrgID `json:"org"`  // there
	With    tenants.OrgID `json:"with"` // here
	Name    string        `json:"name,omitempty"`
	Enabled bool          `json:"enabled"`
	Held    bool          `json:"held"`
}

func (p PairState) place() Place { return Place{Local: p.Org, Remote: p.With} }

// ParseOrgPage reads an answer about organizations.
func ParseOrgPage(body []byte) (OrgPage, error) {
	var p OrgPage
	if err := decode(body, maxAnswer, &p); err != nil {
		return OrgPage{}, err
	}
	if p.Seq < 0 || len(p.Pairs) > maxPairs {
		return OrgPage{}, malformed("the page is out of bounds")
	}
	for i := range p.Pairs {
		if err := canonical(&p.Pairs[i].Org, &p.Pairs[i].With); err != nil {
			return OrgPage{}, err
		}
	}
	return p, nil
}

func canonical(ids ...*tenants.OrgID) error {
	for _, id := range ids {
		uuid, err := tenants.ParseUUID(string(*id))
		if err != nil {
			return malformed("an organization is no UUID")
		}
		*id = tenants.OrgID(uuid)
	}
	return nil
}

// Ended is a part of a site's revocation feed.
type Ended struct {
	// Seq is what to ask for next.
	Seq int64 `json:"seq"`
	// Reset says that the site does not know what lies between the sequence asked
	// for and Seq: everything it said before may be untrue.
	Reset bool        `json:"reset,omitempty"`
	List  []EndedItem `json:"list"`
}

// EndedItem is a [federation.Revocation] on the wire.
type EndedItem struct {
	Org  tenants.OrgID `json:"org,omitempty"`
	Kind string        `json:"kind"`
	ID   string        `json:"id"`
}

// ParseEnded reads a part of the feed. What it cannot read counts as a gap: the
// caller forgets everything, rather than too little.
func ParseEnded(body []byte) (Ended, error) {
	var e Ended
	if err := decode(body, maxAnswer, &e); err != nil {
		return Ended{}, err
	}
	if e.Seq < 0 || len(e.List) > maxEnded {
		return Ended{}, malformed("the feed is out of bounds")
	}
	for _, item := range e.List {
		if item.Kind == "" || len(item.Kind) > 64 || len(item.ID) > 256 || len(item.Org) > 64 {
			return Ended{}, malformed("an item of the feed is out of bounds")
		}
	}
	return e, nil
}

func decode(body []byte, limit int, v any) error {
	if len(body) > limit {
		return malformed("it is longer than " + strconv.Itoa(limit) + " bytes")
	}
	if err := json.Unmarshal(body, v); err != nil {
		return problem.Wrap(err, problem.BadRequest, "The message between sites is no JSON of its kind.")
	}
	return nil
}

func malformed(why string) error {
	return problem.New(problem.BadRequest, "The message between sites is malformed: %s.", why)
}
