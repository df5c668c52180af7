// Package migrations owns the versions of the database schema, one folder of
// goose files for each database. Two files of the same number make the same
// change; README.md says what. It does not run them: package store does.
package migrations

import (
	"embed"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// SQLite and Postgres hold the goose files below a folder of that name.
var (
	//go:embed sqlite/*.sql
	SQLite embed.FS
	//go:embed postgres/*.sql
	Postgres embed.FS
	//go:embed README.md
	readme string
)

// Kind says who may go on serving when a version has been applied.
type Kind string

const (
	// Expand adds only: cells of the version before go on serving.
	Expand Kind = "expand"
	// Contract takes away what the version before may still use.
	Contract Kind = "contract"
)

// Change is what README.md says of a version.
type Change struct {
	What string
	Kind Kind
}

var row = regexp.MustCompile(`(?m)^\| (\d+) \| (.+) \| (expand|contract) \|$`)

// Changes are those of all versions.
func Changes() (map[int64]Change, error) {
	all := map[int64]Change{}
	for _, m := range row.FindAllStringSubmatch(readme, -1) {
		version, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil || all[version].What != "" {
			return nil, fmt.Errorf("migrations/README.md: version %s", m[1])
		}
		all[version] = Change{What: strings.TrimSpace(m[2]), Kind: Kind(m[3])}
	}
	return all, nil
}
