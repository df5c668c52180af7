package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"causeway/internal/store"
)

// tables are all tables of the schema but goose's.
var tables = []string{
	"api_tokens", "app_ids", "app_members", "apps", "custom_roles", "device_requests", "instance_accounts", "journal", "journal_head", "org_associations", "org_keys", "organizations", "role_grants", "role_rights", "roles",
	"service_accounts", "service_definitions", "service_hosts", "service_instances", "sessions", "signing_keys", "site", "site_associations", "token_events", "token_families", "used_tokens", "users",
}

// dump is every row of every table, in an order that does not depend on the database.
func dump(t testing.TB, db *store.DB) string {
	t.Helper()
	var all []string
	for _, table := range tables {
		rows, err := db.SQL().QueryContext(context.Background(), "SELECT * FROM "+table)
		ok(t, err)
		columns, err := rows.Columns()
		ok(t, err)
		for rows.Next() {
			values := make([]any, len(columns))
			into := make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			ok(t, rows.Scan(into...))
			line := table + ":"
			for i, v := range values {
				if b, isBytes := v.([]byte); isBytes {
					v = fmt.Sprintf("%x", b)
				}
				line += fmt.Sprintf(" %s=%v", columns[i], v)
			}
			all = append(all, line)
		}
		ok(t, rows.Err())
		ok(t, rows.Close())
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}
