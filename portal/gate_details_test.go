package portal_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"causeway/internal/journal"
	"causeway/portal/texts"
)

// tellsInWords fails the test for what the journal of west tells under a name that pages
// have no words for.
func (w *world) tellsInWords(t *testing.T) {
	t.Helper()
	words, err := texts.Load()
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.Folder, "west", "causeway.db")+"?_pragma=busy_timeout(5000)&_pragma=query_only(1)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(context.Background(), "SELECT action, entry FROM journal")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var action, text string
		if err := rows.Scan(&action, &text); err != nil {
			t.Fatal(err)
		}
		var told journal.Entry
		if err := json.Unmarshal([]byte(text), &told); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for name := range told.Detail {
			n++
			name = strings.TrimSuffix(strings.TrimSuffix(name, ".old"), ".new")
			if !words.Has("detail."+name) && !words.Has("limits."+name) {
				t.Errorf("%s tells of %q, which has no words in detail.yaml", action, name)
			}
		}
	}
	if err := rows.Err(); err != nil || n == 0 {
		t.Fatalf("%d details: %v", n, err)
	}
}
