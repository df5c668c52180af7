package fanout

import (
	"context"
	"encoding/json"
	"errors"

	"causeway/internal/problem"
	"causeway/tenants"
)

// maxTotal bounds what a location says of how many rows it has: the sum of all
// must stay a number that clients can read.
const maxTotal = 1 << 30

// List understands what locations answer.
type List interface {
	// Decode reads the answer to one request. Rows carry their value of sort, the
	// selector that the list is sorted by, or none where that is empty. What it
	// refuses counts as no answer.
	Decode(body []byte, sort string) (Answer, error)
	// Paged reports whether answers are pages. If not, each is the whole list.
	Paged() bool
}

// Answer is one location's page. Page and Size are what the location says they
// are: it may cut a size that is too large for it.
type Answer struct {
	Total, Page, Size int
	Rows              []Row
}

// Row is one entity as its location shows it. What Raw holds is between a List
// and whoever writes the page.
type Row struct {
	Raw []byte
	Key Key
}

// Location is an organization at a site, and how it is asked.
type Location struct {
	tenants.LocationID
	Here bool // asked before the others; what it refuses is refused
	// Peer is the site whose bound counts; empty for this site.
	Peer tenants.SiteID
	// Down says that the location will not answer, and why; it is not asked.
	Down *Missing
	// Ask reads a page. Errors are problems, a [Missing], or the context's.
	// What the answer takes is taken from h before it is kept.
	Ask func(ctx context.Context, page, size int, h *Hold) ([]byte, error)
}

// Missing is a location that is not in a page, with the HTTP status and the
// minorErrorCode that it answered with or might have.
type Missing struct {
	Location tenants.LocationID
	Status   int
	Code     string
	Err      error // what went wrong, for the audit; may be nil
}

func (m *Missing) Error() string { return m.Location.String() + " is missing: " + m.Code }

// missing says why a location did not answer.
func missing(l tenants.LocationID, err error) *Missing {
	if m, ok := errors.AsType[*Missing](err); ok {
		return &Missing{l, m.Status, m.Code, m.Err}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		row := problem.GatewayTimeout.Row()
		return &Missing{l, row.Status, row.Minor, err}
	}
	row := problem.From(err).Code.Row()
	return &Missing{l, row.Status, row.Minor, err}
}

// Unreadable is what a location is missing for that answered something else than
// a page of the list. No client gets this status itself.
func Unreadable() *Missing { return &Missing{Status: 502, Code: "BAD_GATEWAY"} }

// Page is what one request gets.
type Page struct {
	Rows []Row
	// Total is the sum over the locations that answered. A page of a list without
	// pages has all rows.
	Total, Page, Size int
	Missing           []Missing
	// Cursor leads to the next page; empty if there is none, or if the locations
	// are too many for one.
	Cursor string
	hold   *Hold
}

// Close gives back the room that the page takes: it has been written.
func (p Page) Close() {
	if p.hold != nil {
		p.hold.close()
	}
}

// Pages is how many there are.
func (p Page) Pages() int {
	if p.Size == 0 {
		return 1
	}
	return (p.Total + p.Size - 1) / p.Size
}

// MarshalJSON writes a missing location as warnings show it.
func (m Missing) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Location string `json:"location"`
		Status   int    `json:"status"`
		Code     string `json:"code"`
	}{m.Location.String(), m.Status, m.Code})
}
