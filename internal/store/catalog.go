package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Column is a column as it is copied from one database to another. Both hold the
// same in it: PostgreSQL's truth values are the numbers that SQLite has.
type Column struct {
	Name string `json:"name"`
	// Kind is text, int or bytes.
	Kind string `json:"kind"`
}

// Table is a table with its columns in the order in which they are copied.
type Table struct {
	Name    string
	Columns []Column

	truth   []bool // columns that PostgreSQL has as boolean
	counted bool   // its id is given by the database
	parents []string
	quoted  []string
}

// uncopied are tables about the processes that run, which mean nothing to those
// that run elsewhere: assertions are worthless before a copy is served, see
// assertion.Longest.
var uncopied = []string{"goose_db_version", "cells", "leases", "assertions"}

var catalog = map[kind]struct{ columns, parents string }{
	sqlite: {
		columns: `SELECT m.name, c.name, lower(c.type), m.sql LIKE '%AUTOINCREMENT%' AND c.name = 'id'
			FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid`,
		parents: `SELECT m.name, f."table" FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'`,
	},
	postgres: {
		columns: `SELECT table_name, column_name, data_type, is_identity = 'YES'
			FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position`,
		parents: `SELECT c.relname, p.relname FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_class p ON p.oid = f.confrelid
			JOIN pg_namespace n ON n.oid = c.relnamespace WHERE f.contype = 'f' AND n.nspname = current_schema()`,
	},
}

var kinds = map[string]string{
	"text": "text", "integer": "int", "bigint": "int", "smallint": "int", "boolean": "int", "blob": "bytes", "bytea": "bytes",
}

// tables are those that are copied, each after those it refers to.
func (d *DB) tables(ctx context.Context, conn querier) ([]*Table, error) {
	byName := map[string]*Table{}
	if err := each(ctx, conn, catalog[d.kind].columns, func(scan func(...any) error) error {
		var table, column, declared string
		var counted bool
		if err := scan(&table, &column, &declared, &counted); err != nil || slices.Contains(uncopied, table) {
			return err
		}
		kind, ok := kinds[declared]
		if !ok {
			return fmt.Errorf("the column %s.%s has the type %s, which cannot be copied", table, column, declared)
		}
		t := byName[table]
		if t == nil {
			t = &Table{Name: table}
			byName[table] = t
		}
		t.Columns = append(t.Columns, Column{Name: column, Kind: kind})
		t.truth = append(t.truth, declared == "boolean")
		t.quoted = append(t.quoted, `"`+column+`"`)
		t.counted = t.counted || counted
		return nil
	}); err != nil {
		return nil, err
	}
	if err := each(ctx, conn, catalog[d.kind].parents, func(scan func(...any) error) error {
		var table, parent string
		err := scan(&table, &parent)
		if t := byName[table]; t != nil && parent != table {
			t.parents = append(t.parents, parent)
		}
		return err
	}); err != nil {
		return nil, err
	}
	return parentsFirst(byName)
}

// parentsFirst puts parents first, and else goes by the names.
func parentsFirst(byName map[string]*Table) ([]*Table, error) {
	var names []string
	for name := range byName {
		names = append(names, name)
	}
	slices.Sort(names)
	var list []*Table
	placed := map[string]bool{}
	for len(list) < len(byName) {
		before := len(list)
		for _, name := range names {
			t := byName[name]
			if placed[name] || slices.ContainsFunc(t.parents, func(p string) bool { return byName[p] != nil && !placed[p] }) {
				continue
			}
			placed[name] = true
			list = append(list, t)
		}
		if len(list) == before {
			return nil, fmt.Errorf("tables refer to each other in a circle: %s", strings.Join(names, ", "))
		}
	}
	return list, nil
}
