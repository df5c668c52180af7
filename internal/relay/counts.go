package relay

import "sync"

// Kind is what kind of sink something is about.
type Kind string

const (
	KindWebhook Kind = "webhook"
	KindSyslog  Kind = "syslog"
)

// Result is what came of handing a row on.
type Result string

const (
	Delivered Result = "delivered"
	Retried   Result = "retried" // it was not taken, and will be tried again
	PutAside  Result = "dead"
)

// Kinds and Results are all of them, for metrics that are visible at zero.
func Kinds() []Kind     { return []Kind{KindWebhook, KindSyslog} }
func Results() []Result { return []Result{Delivered, Retried, PutAside} }

// counts are since this cell began.
type counts struct {
	mu      sync.Mutex
	results map[counted]int64
}

type counted struct {
	kind   Kind
	result Result
}

func (c *counts) add(k Kind, r Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.results == nil {
		c.results = map[counted]int64{}
	}
	c.results[counted{k, r}]++
}

// Count is how many rows this cell has handed on with a result.
func (d *Deliverer) Count(k Kind, r Result) int64 {
	d.counts.mu.Lock()
	defer d.counts.mu.Unlock()
	return d.counts.results[counted{k, r}]
}

// Waiting is how many rows the slowest sink of a kind is behind, where this cell
// delivers.
func (d *Deliverer) Waiting(k Kind) (most int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.runs {
		if at := r.at.Load(); r.kind == k && at > 0 {
			most = max(most, d.head.Load()-at)
		}
	}
	return most
}
