package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"causeway/federation/assertion"
	"causeway/internal/journal"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/watermark"
	"causeway/tenants"
)

// margin is left free in everything that is numbered: no site writes so much between
// a backup and its restore. Ten million restores fit into what JSON can count.
const margin = 1_000_000_000

// AssertionsOver is how long after a restore a request that another site vouched for
// might be sent again: which ones were used is in no backup.
const AssertionsOver = assertion.Longest

// Restoring is how to restore.
type Restoring struct {
	Keys *secret.Keys
	// KeepPasswords is for who knows that no password was changed since the backup
	// because somebody else knew it.
	KeepPasswords bool
	// Watermark is the configured one, nil if there is none. If it was kept when the
	// backup was made, it is fenced, see [store.Watermark.Fence], and families go on of
	// which it proves that nothing happened to them.
	Watermark *store.Watermark
	By        journal.Actor
	Now       func() time.Time
	Progress  func(Progress) // may be nil
}

// Report is what became of a restore.
type Report struct {
	Site       string       `json:"site"`
	SiteID     string       `json:"siteId"`
	TakenAt    time.Time    `json:"takenAt"`
	RestoredAt time.Time    `json:"restoredAt"`
	Rows       int64        `json:"rows"`
	Head       journal.Head `json:"head"`
	// Sessions, DeviceCodes and SigningKeys are how many ended.
	Sessions    int64 `json:"sessionsEnded"`
	DeviceCodes int64 `json:"deviceCodesEnded"`
	SigningKeys int64 `json:"signingKeysRetired"`
	// Passwords reports whether those of users were kept.
	Passwords bool `json:"passwordsKept"`
	// Proved reports whether a watermark proved which refresh tokens may go on.
	Proved bool `json:"watermarkProved"`
	// Watermark is the one that was kept when the backup was made; "" is none.
	Watermark     string `json:"watermark,omitempty"`
	Organizations []Ends `json:"organizations"`
}

// Restore fills an empty database from a file: everything or nothing. What may have
// been rotated or revoked since the backup is ended in the same transaction, so no
// crash leaves it usable. The schema is then this version's.
func Restore(ctx context.Context, db *store.DB, file string, o Restoring) (Report, error) {
	f, m, err := open(ctx, file)
	if err != nil {
		return Report{}, err
	}
	defer f.Close()
	if err := m.CheckKey(o.Keys); err != nil {
		return Report{}, err
	}
	now := o.Now().UTC().Truncate(time.Microsecond)
	e := newEnder(now, o.KeepPasswords)
	// Before the marks are read, so that nothing is renewed elsewhere afterwards.
	if e.marks, err = marksOf(ctx, db, m, o.Watermark); err != nil {
		return Report{}, err
	}
	e.seq = m.Seq
	r := Report{Site: m.SiteName, SiteID: m.SiteID, TakenAt: m.TakenAt, RestoredAt: now, Rows: m.Rows(), Passwords: o.KeepPasswords, Proved: e.marks != nil, Watermark: m.Watermark}
	err = fill(ctx, db, f, m, e.apply, o.Progress, func(l *store.Load) (err error) {
		r.Organizations = e.list()
		r.Sessions, r.DeviceCodes, r.SigningKeys = e.sessions, e.deviceCodes, e.keys
		list := entries(r, m, o.By)
		if e.marks != nil {
			list = append(list, store.WatermarkEntry(now, o.By, journal.WatermarkBegan, e.marks.ID))
		}
		r.Head, err = l.Skip(margin, list...)
		return err
	})
	if err != nil {
		return Report{}, err
	}
	return r, db.Migrate(ctx)
}

// marksOf are those of the watermark that was kept when the backup was made; nil if
// it is not there.
func marksOf(ctx context.Context, db *store.DB, m Manifest, w *store.Watermark) (*watermark.Marks, error) {
	if m.Watermark == "" || w == nil {
		return nil, nil
	}
	if err := db.Empty(ctx); err != nil { // or a site that serves would be fenced
		return nil, err
	}
	return w.Fence(ctx, m.Watermark)
}

// entries are what the audit trails say: the provider's, and each organization's in
// which something ended.
func entries(r Report, m Manifest, by journal.Actor) []journal.Entry {
	entry := func(org, kind, id, name string, detail map[string]string) journal.Entry {
		return journal.Entry{At: r.RestoredAt, Org: org, Actor: by, Action: journal.SiteRestored, Subject: journal.Subject{Kind: kind, ID: id, Name: name}, Detail: detail}
	}
	taken := r.TakenAt.Format(time.RFC3339)
	list := []journal.Entry{entry(string(tenants.SystemOrgID), journal.KindSite, r.SiteID, r.Site, map[string]string{
		"takenAt": taken, journal.DetailFollows: strconv.FormatInt(m.Seq, 10), "passwordsKept": strconv.FormatBool(r.Passwords),
		"watermarkProved": strconv.FormatBool(r.Proved), "sessions": strconv.FormatInt(r.Sessions, 10), "signingKeys": strconv.FormatInt(r.SigningKeys, 10),
	})}
	for _, o := range r.Organizations {
		list = append(list, entry(o.ID, journal.KindOrganization, o.ID, o.Org, map[string]string{
			"takenAt": taken, "serviceAccounts": strconv.Itoa(len(o.Accounts)), "serviceAccountsContinuing": strconv.Itoa(len(o.Continuing)), "apiTokens": strconv.Itoa(len(o.APITokens)),
			"apps": strconv.Itoa(len(o.Apps)), "users": strconv.Itoa(len(o.Users)),
		}))
	}
	return list
}

// fill writes the file's rows as change leaves them; after is called with all of
// them written, in the same transaction.
func fill(ctx context.Context, db *store.DB, f *checked, m Manifest, change func(string, row) (bool, error), progress func(Progress), after func(*store.Load) error) error {
	return db.Fill(ctx, m.Schema, func(l *store.Load) error {
		p := Progress{Of: m.Rows()}
		err := f.again(func(name string, body io.Reader) error {
			if name == manifestName {
				return nil
			}
			c := m.contents(tableOf(name))
			t := l.Table(c.Name)
			if t == nil || !slices.Equal(t.Columns, c.Columns) && !sameColumns(t, c) {
				return fmt.Errorf("the backup's table %s is not the one of version %d of the schema", c.Name, m.Schema)
			}
			place := places(t, c)
			lines := newRows(c.Columns, body)
			return l.Rows(t, func() ([]any, error) {
				for {
					values, err := lines.next()
					if err != nil || values == nil {
						return nil, err
					}
					if p.Table = c.Name; p.Rows%1000 == 0 && progress != nil {
						progress(p)
					}
					p.Rows++
					keep, err := change(c.Name, row{c.Columns, values})
					if err != nil {
						return nil, err
					}
					if keep {
						return inPlace(values, place), nil
					}
				}
			})
		})
		if err != nil {
			return err
		}
		if err := l.Whole(); err != nil {
			return damaged("%v", err)
		}
		if progress != nil {
			progress(p)
		}
		return after(l)
	})
}

func (m Manifest) contents(table string) Contents {
	for _, t := range m.Tables {
		if t.Name == table {
			return t
		}
	}
	return Contents{}
}

// sameColumns in whatever order: a column that was added stands last in one database
// and elsewhere in the other, where the table was made anew.
func sameColumns(t *store.Table, c Contents) bool {
	if len(t.Columns) != len(c.Columns) {
		return false
	}
	for _, column := range t.Columns {
		if !slices.Contains(c.Columns, column) {
			return false
		}
	}
	return true
}

// places are where the table's columns stand in the file's rows.
func places(t *store.Table, c Contents) []int {
	at := make([]int, len(t.Columns))
	for i, column := range t.Columns {
		at[i] = slices.Index(c.Columns, column)
	}
	return at
}

func inPlace(values []any, place []int) []any {
	row := make([]any, len(place))
	for i, at := range place {
		row[i] = values[at]
	}
	return row
}

// Verified is what [Verify] found.
type Verified struct {
	Manifest Manifest       `json:"manifest"`
	Journal  journal.Report `json:"journal"`
}

// Verify restores a file into a database of its own in folder, removes that again,
// and says whether everything is as it was written: the file, the references between
// rows, the journal's chain and what is sealed into it. It needs no key.
func Verify(ctx context.Context, file, folder string, progress func(Progress)) (v Verified, err error) {
	f, m, err := open(ctx, file)
	if err != nil {
		return v, err
	}
	defer f.Close()
	v.Manifest = m
	scratch, err := os.MkdirTemp(folder, ".verify-*")
	if err != nil {
		return v, err
	}
	defer os.RemoveAll(scratch)
	db, err := store.Open(ctx, store.Config{URL: "sqlite://" + filepath.Join(scratch, "scratch.db")})
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	same := func(string, row) (bool, error) { return true, nil }
	if err := fill(ctx, db, f, m, same, progress, func(*store.Load) error { return nil }); err != nil {
		return v, err
	}
	if err := db.Migrate(ctx); err != nil {
		return v, err
	}
	v.Journal, err = journal.Verify(ctx, db.Archive(), journal.Options{Expect: m.Head})
	return v, err
}
