package backup_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/federation/links"
	"causeway/internal/backup"
	"causeway/internal/journal"
	"causeway/internal/load"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func keysOf(t testing.TB, b byte) *secret.Keys {
	t.Helper()
	k, err := secret.NewKeys(bytes.Repeat([]byte{b}, 32))
	ok(t, err)
	return k
}

// newSite fills a database with two organizations that have one of everything that a
// restore ends.
func newSite(t testing.TB, db *store.DB, keys *secret.Keys) {
	t.Helper()
	hasher, err := secret.NewPasswordHasher(secret.PasswordLimits{Concurrent: 1, Waiting: 1})
	ok(t, err)
	ok(t, tenants.NewProvisioner(db.Tenants(), hasher, time.Now).EnsureSystem(t.Context()))
	now := time.Now().UTC().Truncate(time.Microsecond)
	_, _, err = links.EnsureSelf(t.Context(), db.Federation(), keys, "west", now)
	ok(t, err)
	ok(t, load.Run(t.Context(), db, load.Options{Organizations: 2, Users: 2, Accounts: 10}, nil))
	ok(t, db.OAuth().InTx(t.Context(), func(tx oauth.Tx) error {
		if err := tx.CreateSigningKey(oauth.SigningKey{ID: "k1", Purpose: oauth.PurposeAccessToken, Algorithm: oauth.ES256, Public: []byte{1}, Private: []byte{2, 0, 255}, CreatedAt: now, SignsFrom: now}); err != nil {
			return err
		}
		r := tx.(tenants.Reader)
		all, err := r.Organizations()
		if err != nil {
			return err
		}
		for _, org := range all[1:] {
			people, _, err := r.Users(org.ID, tenants.Query{Page: 1, PageSize: 1}, now)
			if err != nil {
				return err
			}
			token := oauth.APIToken{ID: oauth.ClientID(tenants.NewID()), Org: org.ID, Owner: people[0].ID, Name: "nightly ✓ <&>", CreatedAt: now}
			if err := tx.CreateAPIToken(token, 5); err != nil {
				return err
			}
			if _, err := tx.FetchAPIToken(token, oauth.Digest(keys.Digest("test", string(org.ID)))); err != nil {
				return err
			}
			if err := tx.CreateSession(oauth.Session{
				ID: tenants.SessionID(tenants.NewID()), Org: org.ID, Kind: tenants.KindUser, Principal: string(people[0].ID), Name: people[0].Name,
				CreatedAt: now, ExpiresAt: now.Add(time.Hour), LastUsed: now,
			}); err != nil {
				return err
			}
		}
		return nil
	}))
}

// save backs a site up.
func save(t testing.TB, db *store.DB, keys *secret.Keys) (string, backup.Manifest) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "site.backup")
	m, err := backup.Write(t.Context(), db, file, backup.Options{Keys: keys, Now: time.Now})
	ok(t, err)
	return file, m
}

func restoring(keys *secret.Keys) backup.Restoring {
	return backup.Restoring{Keys: keys, Now: time.Now, By: journal.Actor{Kind: journal.KindOperator, Name: "root@host"}}
}

// content is what tables hold, by their names.
func content(t testing.TB, db *store.DB, of ...string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	ok(t, db.OnSnapshot(t.Context(), func(s *store.Snapshot) error {
		for _, table := range s.Tables {
			if len(of) > 0 && !slices.Contains(of, table.Name) {
				continue
			}
			lines := []string{}
			if err := s.Rows(t.Context(), table, func(row []any) error {
				line := map[string]any{}
				for i, c := range table.Columns {
					line[c.Name] = row[i]
				}
				lines = append(lines, printed(line))
				return nil
			}); err != nil {
				return err
			}
			slices.Sort(lines)
			all[table.Name] = lines
		}
		return nil
	}))
	return all
}

// What was good at the time of the backup may have been rotated or revoked since:
// nothing of it is good after a restore, into whichever database, and the data is
// whole. The journal's chain goes on, far behind the numbers that may have been lost.
func TestBackup_R12_R14_RestoreRevivesNothing(t *testing.T) {
	for from, to := range map[storetest.Kind]storetest.Kind{storetest.SQLite: storetest.Postgres, storetest.Postgres: storetest.SQLite} {
		t.Run(string(from), func(t *testing.T) {
			keys := keysOf(t, 7)
			db := storetest.New(t, from)
			newSite(t, db, keys)
			file, m := save(t, db, keys)
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%v, %v", info, err)
			}
			verified, err := backup.Verify(t.Context(), file, t.TempDir(), nil)
			ok(t, err)
			if !verified.Journal.Intact || verified.Journal.Head.Seq != m.Seq || m.Seq == 0 {
				t.Errorf("%+v", verified.Journal)
			}
			if _, err := backup.Restore(t.Context(), db, file, restoring(keys)); !errors.Is(err, store.ErrNotEmpty) {
				t.Errorf("over a site: %v", err)
			}

			copied := storetest.Open(t, storetest.EmptyURL(t, to))
			if _, err := backup.Restore(t.Context(), copied, file, restoring(keysOf(t, 8))); !errors.Is(err, backup.ErrForeign) {
				t.Errorf("with another master key: %v", err)
			}
			r, err := backup.Restore(t.Context(), copied, file, restoring(keys))
			ok(t, err)
			if len(r.Organizations) != 2 || len(r.Organizations[0].Accounts) != 6 || len(r.Organizations[0].APITokens) != 1 || len(r.Organizations[0].Users) != 2 || r.Sessions < 2 || r.SigningKeys != 1 {
				t.Errorf("%+v", r)
			}
			same := []string{"organizations", "roles", "role_rights", "publications", "publication_rights", "publication_tenants", "service_accounts", "used_tokens", "token_events", "refusals", "seals"}
			before, after := content(t, db), content(t, copied)
			for _, table := range same {
				if !slices.Equal(before[table], after[table]) {
					t.Errorf("%s is\n%.2000q\nwas\n%.2000q", table, after[table], before[table])
				}
			}
			for table, live := range map[string]string{
				"token_families": " revoked_at=0 ", "sessions": " ended_at=0 ", "signing_keys": " retired_at=0 ", "device_requests": " state=granted ",
				"api_tokens": "", "users": " password_hash=" + hashOf(before["users"][0]),
			} {
				if table != "api_tokens" && len(after[table]) != len(before[table]) || len(before[table]) == 0 {
					t.Errorf("%s has %d rows, had %d", table, len(after[table]), len(before[table]))
				}
				for _, line := range after[table] {
					if strings.Contains(line, live) {
						t.Errorf("%s revives %s", table, line)
					}
				}
			}
			storetest.Intact(t, copied)
			head, err := copied.Journal().Head(t.Context())
			ok(t, err)
			if head < m.Seq+1_000_000_000 {
				t.Errorf("the journal goes on at %d after %d", head, m.Seq)
			}
			// What is restored can be saved, verified and goes on being numbered.
			again, _ := save(t, copied, keys)
			if verified, err := backup.Verify(t.Context(), again, t.TempDir(), nil); err != nil || !verified.Journal.Intact {
				t.Errorf("%v, %+v", err, verified.Journal.Faults)
			}
			noted := journal.Head{Seq: m.Seq + 5, Hash: bytes.Repeat([]byte{1}, 32)}
			if found, err := journal.Verify(t.Context(), copied.Archive(), journal.Options{Expect: noted}); err != nil || found.Intact {
				t.Errorf("a row that the restore lost is not missed: %v", err)
			}
		})
	}
}

// A file that was cut off, changed or put together otherwise is found out before
// anything is written.
func TestBackup_R14_DamageIsFound(t *testing.T) {
	keys := keysOf(t, 7)
	db := storetest.New(t, storetest.SQLite)
	if _, err := backup.Write(t.Context(), db, filepath.Join(t.TempDir(), "x"), backup.Options{Keys: keys, Now: time.Now}); !errors.Is(err, backup.ErrNoSite) {
		t.Errorf("an empty database: %v", err)
	}
	newSite(t, db, keys)
	file, _ := save(t, db, keys)
	whole, err := os.ReadFile(file)
	ok(t, err)
	for name, body := range map[string][]byte{
		"nothing": nil, "no backup": []byte("hello"), "cut in half": whole[:len(whole)/2], "without its last byte": whole[:len(whole)-1],
		"a byte changed": func() []byte {
			b := bytes.Clone(whole)
			b[len(b)/2] ^= 1
			return b
		}(),
	} {
		damaged := filepath.Join(t.TempDir(), "damaged")
		ok(t, os.WriteFile(damaged, body, 0o600))
		copied := storetest.Open(t, storetest.EmptyURL(t, storetest.SQLite))
		if _, err := backup.Restore(t.Context(), copied, damaged, restoring(keys)); !errors.Is(err, backup.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
		if n, err := copied.SchemaVersion(t.Context()); err != nil || n != 0 {
			t.Errorf("%s: the database was changed", name)
		}
		if _, err := backup.Verify(t.Context(), damaged, t.TempDir(), nil); !errors.Is(err, backup.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte("hello"))
	f.Add([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if m, err := backup.Check(t.Context(), bytes.NewReader(body)); err == nil && m.Schema < 1 {
			t.Error(m)
		}
	})
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(`{"format":1,"schema":6,"tables":[{"name":"site","columns":[{"name":"id","kind":"text"}],"rows":1,"sha256":"AA=="}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := backup.ParseManifest(body)
		if err == nil && m.Schema < 1 {
			t.Error(m)
		}
	})
}

func FuzzParseRow(f *testing.F) {
	columns := []store.Column{{Name: "a", Kind: "text"}, {Name: "b", Kind: "int"}, {Name: "c", Kind: "bytes"}}
	f.Add([]byte(`["x",1,"AA=="]`))
	f.Fuzz(func(t *testing.T, line []byte) {
		row, err := backup.ParseRow(line, columns)
		if err == nil && len(row) != len(columns) {
			t.Error(row)
		}
	})
}
