package doctor

import (
	"fmt"
	"sync"
	"time"
)

// Severity of a finding.
type Severity string

const (
	OK      Severity = "ok"
	Skipped Severity = "skipped" // could not be looked at here; the finding says why
	Warning Severity = "warning" // works, and will not for long or not for all
	Failed  Severity = "failed"
)

// Finding is what one check found. Why and Do are empty where all is well.
type Finding struct {
	Check    string   `json:"check"` // stable name, such as certificate
	Severity Severity `json:"severity"`
	What     string   `json:"what"`
	Why      string   `json:"why,omitempty"` // why it matters
	Do       string   `json:"do,omitempty"`
}

// Worst is the highest severity of findings.
func Worst(findings []Finding) Severity {
	worst := OK
	for _, f := range findings {
		if f.Severity == Failed || f.Severity == Warning && worst != Failed {
			worst = f.Severity
		}
	}
	return worst
}

// advice is what a kind of fault means and what helps.
type advice struct{ why, do string }

// examination gathers findings.
type examination struct {
	Options
	now func() time.Time

	mu    sync.Mutex
	found []Finding
}

func (e *examination) say(check string, s Severity, a advice, format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.found = append(e.found, Finding{check, s, fmt.Sprintf(format, args...), a.why, a.do})
}

func (e *examination) ok(check, format string, args ...any) {
	e.say(check, OK, advice{}, format, args...)
}

func (e *examination) skip(check, format string, args ...any) {
	e.say(check, Skipped, advice{}, format, args...)
}

func (e *examination) warn(check string, a advice, format string, args ...any) {
	e.say(check, Warning, a, format, args...)
}

func (e *examination) fail(check string, a advice, format string, args ...any) {
	e.say(check, Failed, a, format, args...)
}
