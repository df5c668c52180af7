package refusal_test

import (
	"bytes"
	"os"
	"testing"

	"causeway/internal/refusal"
)

// The page of problems says what the tables say, and nothing is left unsaid.
func TestCatalog_PageIsCurrent(t *testing.T) {
	var now bytes.Buffer
	if err := refusal.WriteCatalog(&now); err != nil {
		t.Fatal(err)
	}
	const page = "../../docs/problems.md"
	if *update {
		if err := os.WriteFile(page, now.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(kept, now.Bytes()) {
		t.Errorf("%s is not current: go test ./internal/refusal -run Catalog -update", page)
	}
}
