package tenants

import (
	"encoding/json"
	"math"
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
	// successor: address changes in flight. Whoever spent it has a minute at least,
	// for concurrent refreshes.
	GraceWindow time.Duration
	// MaxRetries bounds how often one spent token gets its successor again once
	// that is over.
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
	// ByProvider are the members that the provider has set: a tenant can make them
	// stricter, and not looser again.
	ByProvider [tokenMembers]bool `json:"byProvider,omitzero"`
}

const tokenMembers = 4

// tokenPolicyMembers are the members of a TokenPolicy, in the order of ByProvider.
// The larger a measure, the looser the member.
var tokenPolicyMembers = [tokenMembers]struct {
	name    string
	of      func(TokenPolicy) Optional
	measure func(Rotation) int
}{
	{"retryWindowSeconds", func(p TokenPolicy) Optional { return p.RetryWindow }, func(r Rotation) int { return int(r.RetryWindow) }},
	{"foreignWindowSeconds", func(p TokenPolicy) Optional { return p.GraceWindow }, func(r Rotation) int { return int(r.GraceWindow) }},
	{"maxRetries", func(p TokenPolicy) Optional { return p.MaxRetries }, func(r Rotation) int { return r.MaxRetries }},
	{"maxAgeSeconds", func(p TokenPolicy) Optional { return p.MaxAge }, func(r Rotation) int {
		if r.MaxAge == 0 {
			return math.MaxInt
		}
		return int(r.MaxAge)
	}},
}

// SetByProvider names the members that the provider has set.
func (p TokenPolicy) SetByProvider() []string {
	names := []string{}
	for i, m := range tokenPolicyMembers {
		if p.ByProvider[i] {
			names = append(names, m.name)
		}
	}
	return names
}

// changedBy is p in the stead of old: with a note of what the provider sets, and
// refused where a tenant makes a member looser than the provider lets it. What is
// not changed is not judged.
func (p TokenPolicy) changedBy(provider bool, old TokenPolicy, site Rotation) (TokenPolicy, error) {
	p.ByProvider = old.ByProvider
	for i, m := range tokenPolicyMembers {
		if m.of(p) == m.of(old) {
			continue
		}
		if provider {
			p.ByProvider[i] = !m.of(p).IsZero()
			continue
		}
		bound := site
		if old.ByProvider[i] {
			bound = old.Over(site)
		}
		if m.measure(p.Over(site)) > m.measure(bound) {
			return p, problem.New(problem.Forbidden, "Only the provider makes %s looser than the provider has it.", m.name).In(m.name)
		}
	}
	return p, nil
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
			return problem.New(problem.BadRequest, "%s must be a number from %d to %d, or null for the site's.", bound.what, bound.least, bound.most).In(bound.what)
		}
	}
	if age := p.MaxAge.Or(0); age > 0 && age < int(LeastMaxAge.Seconds()) {
		return problem.New(problem.BadRequest, "maxAgeSeconds must be at least %d, 0 for no maximum, or null for the site's.", int(LeastMaxAge.Seconds())).In("maxAgeSeconds")
	}
	return nil
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
