package migrations

import (
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A version that is called an expansion takes nothing away from the one before,
// and each has a line that says what it is.
func TestMigrations_R14_ExpandOnlyAdds(t *testing.T) {
	changes, err := Changes()
	if err != nil {
		t.Fatal(err)
	}
	files, err := fs.Glob(Postgres, "postgres/*.sql")
	if err != nil || len(files) < 6 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		number, _, _ := strings.Cut(path.Base(file), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		change, ok := changes[version]
		if !ok {
			t.Errorf("%s has no line with what it changes and its kind in README.md", file)
			continue
		}
		text, err := fs.ReadFile(Postgres, file)
		if err != nil {
			t.Fatal(err)
		}
		up, _, _ := strings.Cut(string(text), "-- +goose Down")
		if found := missing(up); change.Kind == Expand && found != "" {
			t.Errorf("%s is called an expansion, and has %q", file, found)
		}
	}
	if len(changes) != len(files) {
		t.Errorf("README.md has %d versions, and there are %d files", len(changes), len(files))
	}
}

// missing is the first statement that an older version would miss something by.
// PostgreSQL's files are looked at: SQLite makes a table anew to change it, and
// another test shows that both come to the same.
func missing(up string) string {
	for statement := range strings.SplitSeq(regexp.MustCompile(`(?m)--.*$`).ReplaceAllString(up, ""), ";") {
		upper := strings.ToUpper(strings.Join(strings.Fields(statement), " "))
		for _, word := range []string{"DROP TABLE", "DROP COLUMN", "RENAME", "SET NOT NULL", "DROP DEFAULT"} {
			if strings.Contains(upper, word) {
				return word
			}
		}
		if strings.Contains(upper, "ADD COLUMN") && strings.Contains(upper, "NOT NULL") && !strings.Contains(upper, "DEFAULT") {
			return strings.TrimSpace(statement)
		}
	}
	return ""
}

func TestMissing(t *testing.T) {
	for up, want := range map[string]bool{
		"ALTER TABLE a ADD COLUMN b TEXT NOT NULL DEFAULT '';":          false,
		"ALTER TABLE a ADD COLUMN b TEXT NOT NULL;":                     true,
		"ALTER TABLE a ADD COLUMN b TEXT; -- not null":                  false,
		"CREATE TABLE a (b TEXT NOT NULL); ALTER TABLE c DROP COLUMN d": true,
		"ALTER TABLE a RENAME TO b;":                                    true,
		"drop table a;":                                                 true,
		"DROP INDEX a; ALTER TABLE b DROP CONSTRAINT c;":                false,
	} {
		if got := missing(up) != ""; got != want {
			t.Errorf("%q: %v", up, got)
		}
	}
}
