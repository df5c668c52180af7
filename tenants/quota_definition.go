package tenants

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"causeway/internal/problem"
	"causeway/ratelimit"
)

// The resources that the gateway counts itself. Every other name belongs to
// whoever has the resource: memory, cpu and storage to compute behind the
// gateway.
const (
	QuotaRequests   = "requests"
	QuotaConcurrent = "concurrentRequests"
	QuotaBytes      = "bytes"
)

// quotaUnits are the periods of what is counted in a period.
var quotaUnits = map[string]time.Duration{
	"PER_SECOND": time.Second,
	"PER_MINUTE": time.Minute,
	"PER_HOUR":   time.Hour,
	"PER_DAY":    24 * time.Hour,
}

// Bounds of a policy. All definitions together travel in a header to instances.
const (
	maxQuotaText       = 128
	maxQuotaDefinition = 64
	maxQuotaJSON       = 4096
	maxQuotaNumber     = 1_000_000_000_000_000 // sums of these stay far from overflow
)

// Quota is what a policy says, read once: what the gateway counts, and what it
// hands on.
type Quota struct {
	ratelimit.Quota
	// Handed is the JSON array of the definitions that others enforce, in ASCII
	// so that it fits into a header; empty if there are none.
	Handed string
}

// NewQuota reads definitions. The answer is nil if there are none. What
// [QuotaPolicy] would not accept is problem.BadRequest.
func NewQuota(definitions []QuotaDefinition) (*Quota, error) {
	if len(definitions) == 0 {
		return nil, nil
	}
	if len(definitions) > maxQuotaDefinition {
		return nil, badQuota("A quota policy has at most %d definitions.", maxQuotaDefinition)
	}
	q, others := &Quota{}, []QuotaDefinition{}
	for _, d := range definitions {
		if err := d.check(); err != nil {
			return nil, err
		}
		ours, err := q.count(d)
		if err != nil {
			return nil, err
		}
		if !ours {
			others = append(others, d)
		}
	}
	return q, q.hand(others)
}

// resource is what d bounds. Clients name it in one member or the other.
func (d QuotaDefinition) resource() string {
	if d.ResourceName != "" {
		return d.ResourceName
	}
	return d.ResourceType
}

func (d QuotaDefinition) check() error {
	if d.resource() == "" {
		return badQuota("A quota definition needs quotaResourceName or resourceType.")
	}
	for _, s := range append([]string{d.ResourceName, d.ResourceType, d.Unit}, d.Qualifiers...) {
		if len(s) > maxQuotaText || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
			return badQuota("The texts of a quota definition have at most %d bytes and no control characters.", maxQuotaText)
		}
	}
	// -1 is VCD's "unlimited".
	if d.Quota < -1 || d.Quota > maxQuotaNumber {
		return badQuota("The quota of %s must be from -1 to %d.", d.resource(), int64(maxQuotaNumber)).In(d.resource())
	}
	return nil
}

// count takes d if its resource is one that the gateway counts. What it would
// count other than asked is refused, and so is zero: clients mean nothing by it,
// or everything.
func (q *Quota) count(d QuotaDefinition) (ours bool, err error) {
	var number *int64
	var per *time.Duration
	switch d.resource() {
	case QuotaRequests:
		number, per = &q.Requests, &q.RequestsPer
	case QuotaConcurrent:
		number = &q.Concurrent
	case QuotaBytes:
		number, per = &q.Bytes, &q.BytesPer
	default:
		return false, nil
	}
	unit, known := quotaUnits[d.Unit]
	switch {
	case d.Quota < 1:
		return true, badQuota("The quota of %s is at least 1; leave the definition out to lift it.", d.resource()).In(d.resource())
	case *number != 0:
		return true, badQuota("The quota policy bounds %s twice.", d.resource()).In(d.resource())
	case len(d.Qualifiers) > 0:
		return true, badQuota("The quota of %s holds for all services and takes no qualifiers.", d.resource()).In(d.resource())
	case per != nil && !known:
		return true, badQuota("The unit of %s is PER_SECOND, PER_MINUTE, PER_HOUR or PER_DAY.", d.resource()).In(d.resource())
	case per == nil && d.Unit != "":
		return true, badQuota("The quota of %s has no unit.", d.resource()).In(d.resource())
	}
	*number = d.Quota
	if per != nil {
		*per = unit
	}
	return true, nil
}

func (q *Quota) hand(others []QuotaDefinition) error {
	if len(others) == 0 {
		return nil
	}
	text, err := MarshalDefinitions(others)
	if err != nil {
		return err
	}
	if q.Handed = ascii(text); len(q.Handed) > maxQuotaJSON {
		return badQuota("The definitions of a quota policy are longer than %d bytes together.", maxQuotaJSON)
	}
	return nil
}

// MarshalDefinitions writes definitions as they are stored, pinned and handed on.
func MarshalDefinitions(definitions []QuotaDefinition) (string, error) {
	definitions = slices.Clone(definitions)
	for i := range definitions {
		if definitions[i].Qualifiers == nil { // never null: instances decode an array
			definitions[i].Qualifiers = []string{}
		}
	}
	text, err := json.Marshal(definitions)
	return string(text), err
}

// ParseQuota reads what [MarshalDefinitions] wrote. Empty is no quota.
func ParseQuota(definitions string) (*Quota, error) {
	if definitions == "" {
		return nil, nil
	}
	var list []QuotaDefinition
	if err := json.Unmarshal([]byte(definitions), &list); err != nil {
		return nil, err
	}
	return NewQuota(list)
}

func badQuota(format string, args ...any) *problem.Problem {
	return problem.New(problem.BadRequest, format, args...)
}
