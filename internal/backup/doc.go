// Package backup owns the file that a site's database is saved to: how it is
// written while the site serves, how it is proved to be whole, and what becomes of
// the credentials in it when it is restored.
//
// A file is a gzipped tar of the tables' rows, one JSON array a line, with a
// manifest at its end: the version of the schema, how many rows each table has and
// their SHA-256, the head of the journal, and a code by the site's master key over
// all that. It is the same for both databases. It holds what the database holds:
// digests and sealed keys, and nothing that opens them.
//
// How rows are read and written is the store's; nothing here knows SQL.
package backup
