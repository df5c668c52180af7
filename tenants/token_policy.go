package tenants

import (
	"encoding/json"
	"strconv"
	"time"

	"causeway/internal/problem"
)

// Rotation says how long the refresh token of a service account may be shown again
// once it was used, and for how long a chain of them can be refreshed at all.
type Rotation struct {
	// RetryWindow is how long the spent token's holder may fetch the same
	// successor again from the address that spent it. Zero is strict.
	RetryWindow time.Duration
	// GraceWindow is how long anybody who shows the spent token gets that
	// successor: concurrent refreshes and address changes in flight.
	GraceWindow time.Duration
	// MaxRetries bounds how often one spent token gets its successor again once
	// the grace window is over.
	MaxRetries int
	// MaxAge is how long after the grant the account's tokens can be refreshed;
	// zero is for ever (VCD-19).
	MaxAge time.Duration
}

// End is when a chain of refresh tokens ends that began with a grant at start; the
// zero time is never.
func (r Rotation) End(start time.Time) time.Time {
	if r.MaxAge == 0 {
		return time.Time{}
	}
	return start.Add(r.MaxAge)
}

// The bounds of a Rotation, for sites and organizations alike.
const (
	MaxRetryWindow = 7 * 24 * time.Hour
	MaxGraceWindow = 5 * time.Minute
	MostRetries    = 100
	LeastMaxAge    = time.Hour
	MostMaxAge     = 10 * 365 * 24 * time.Hour
)

// TokenPolicy is what an organization has of its own instead of the site's
// [Rotation]. What is not set follows the site.
type TokenPolicy struct {
	RetryWindow Optional `json:"retryWindowSeconds,omitzero"`
	GraceWindow Optional `json:"foreignWindowSeconds,omitzero"`
	MaxRetries  Optional `json:"maxRetries,omitzero"`
	MaxAge      Optional `json:"maxAgeSeconds,omitzero"`
}

// Over is the site's rotation with the organization's own in its place.
func (p TokenPolicy) Over(site Rotation) Rotation {
	seconds := func(o Optional, otherwise time.Duration) time.Duration {
		if o.IsZero() {
			return otherwise
		}
		return time.Duration(o.Or(0)) * time.Second
	}
	return Rotation{
		RetryWindow: seconds(p.RetryWindow, site.RetryWindow), GraceWindow: seconds(p.GraceWindow, site.GraceWindow),
		MaxRetries: p.MaxRetries.Or(site.MaxRetries), MaxAge: seconds(p.MaxAge, site.MaxAge),
	}
}

func (p TokenPolicy) check() error {
	for _, bound := range []struct {
		what        string
		given       Optional
		least, most int
	}{
		{"retryWindowSeconds", p.RetryWindow, 0, int(MaxRetryWindow.Seconds())},
		{"foreignWindowSeconds", p.GraceWindow, 0, int(MaxGraceWindow.Seconds())},
		{"maxRetries", p.MaxRetries, 1, MostRetries},
		{"maxAgeSeconds", p.MaxAge, 0, int(MostMaxAge.Seconds())},
	} {
		if n := bound.given.Or(bound.least); n < bound.least || n > bound.most {
			return problem.New(problem.BadRequest, "%s must be a number from %d to %d, or null for the site's.", bound.what, bound.least, bound.most)
		}
	}
	if age := p.MaxAge.Or(0); age > 0 && age < int(LeastMaxAge.Seconds()) {
		return problem.New(problem.BadRequest, "maxAgeSeconds must be at least %d, 0 for no maximum, or null for the site's.", int(LeastMaxAge.Seconds()))
	}
	return nil
}

// stricter answers nil when r allows nothing that site does not: a tenant may
// guard its accounts better than the provider does, and not worse.
func (r Rotation) stricter(site Rotation) error {
	looser := ""
	switch {
	case r.RetryWindow > site.RetryWindow:
		looser = "retryWindowSeconds"
	case r.GraceWindow > site.GraceWindow:
		looser = "foreignWindowSeconds"
	case r.MaxRetries > site.MaxRetries:
		looser = "maxRetries"
	case site.MaxAge > 0 && (r.MaxAge == 0 || r.MaxAge > site.MaxAge):
		looser = "maxAgeSeconds"
	default:
		return nil
	}
	return problem.New(problem.Forbidden, "Only the provider makes %s looser than it is at the site.", looser)
}

// Optional is a number that may be absent, null in JSON. Unlike a pointer it can
// be compared.
type Optional struct {
	set   bool
	value int
}

// Just is a number that is there.
func Just(n int) Optional { return Optional{set: true, value: n} }

// Or is the number, or otherwise if there is none.
func (o Optional) Or(otherwise int) int {
	if o.set {
		return o.value
	}
	return otherwise
}

// IsZero reports whether there is no number.
func (o Optional) IsZero() bool { return !o.set }

func (o Optional) String() string {
	if o.set {
		return strconv.Itoa(o.value)
	}
	return "the site's"
}

// MarshalJSON writes the number or null.
func (o Optional) MarshalJSON() ([]byte, error) {
	if o.set {
		return json.Marshal(o.value)
	}
	return []byte("null"), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (o *Optional) UnmarshalJSON(b []byte) error {
	*o = Optional{}
	if string(b) == "null" {
		return nil
	}
	if err := json.Unmarshal(b, &o.value); err != nil {
		return err
	}
	o.set = true
	return nil
}
