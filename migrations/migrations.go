// Package migrations owns the versions of the database schema, one folder of
// goose files for each database. Two files of the same number make the same
// change; README.md says what. It does not run them: package store does.
package migrations

import "embed"

// SQLite and Postgres hold the goose files below a folder of that name.
var (
	//go:embed sqlite/*.sql
	SQLite embed.FS
	//go:embed postgres/*.sql
	Postgres embed.FS
)
