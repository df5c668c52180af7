package fiql

import "time"

// Stamp is a time as lists show it, and as their filters take it back: in UTC, to
// the millisecond.
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
