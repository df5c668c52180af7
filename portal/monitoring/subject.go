package monitoring

import (
	"causeway/internal/journal"
	"causeway/portal/ui"
)

// subjectPath is the page of what a row is about, or empty.
func subjectPath(s *ui.Screen, row journal.Row, org string) string { return "" }
