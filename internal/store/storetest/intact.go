package storetest

import (
	"testing"

	"causeway/internal/journal"
	"causeway/internal/store"
)

// Intact fails unless the journal, and what is sealed into it, is as it was written.
func Intact(t testing.TB, db *store.DB) {
	t.Helper()
	found, err := journal.Verify(t.Context(), db.Archive(), journal.Options{})
	if err != nil {
		t.Error(err)
	}
	for _, f := range found.Faults {
		t.Error(f.What)
	}
}
