package backup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"

	"causeway/internal/atomicfile"
	"causeway/internal/journal"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/version"
)

// partSize is about how large a member of the archive is: a tar says sizes before
// contents.
const partSize = 1 << 20

// Progress is how far a backup or a restore has come.
type Progress struct {
	Table    string
	Rows, Of int64
}

// Options are how to back up.
type Options struct {
	Keys     *secret.Keys
	Now      func() time.Time
	Progress func(Progress) // may be nil
}

// ErrNoSite is a database without a site to save.
var ErrNoSite = errors.New("the database holds no site: there is nothing to back up")

// Write saves a database to file, which appears whole or not at all and is its
// owner's alone. The site may serve meanwhile.
func Write(ctx context.Context, db *store.DB, file string, o Options) (m Manifest, err error) {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".backup-*")
	if err != nil {
		return m, err
	}
	defer os.Remove(tmp.Name()) // gone after the rename
	defer tmp.Close()
	w := newWriter(tmp, o)
	if err := db.OnSnapshot(ctx, func(s *store.Snapshot) error { return w.snapshot(ctx, s) }); err != nil {
		return m, err
	}
	if err := w.finish(); err != nil {
		return m, err
	}
	return w.manifest, atomicfile.Keep(tmp, file, 0o600)
}

type writer struct {
	Options
	manifest Manifest
	zip      *gzip.Writer
	tar      *tar.Writer
	part     bytes.Buffer
	parts    int
	sum      hash.Hash
	done     int64
	of       int64
}

func newWriter(out io.Writer, o Options) *writer {
	zip, _ := gzip.NewWriterLevel(out, gzip.BestSpeed) // the level is one
	return &writer{
		Options: o, zip: zip, tar: tar.NewWriter(zip),
		manifest: Manifest{Format: format, Version: version.Get().Version, TakenAt: o.Now().UTC().Truncate(time.Microsecond)},
	}
}

func (w *writer) snapshot(ctx context.Context, s *store.Snapshot) error {
	w.manifest.Schema, w.manifest.Watermark = s.Schema, s.Watermark
	for _, t := range s.Tables {
		n, err := s.Count(ctx, t)
		if err != nil {
			return err
		}
		w.of += n
	}
	for _, t := range s.Tables {
		if err := w.table(ctx, s, t); err != nil {
			return err
		}
	}
	if w.manifest.SiteID == "" {
		return ErrNoSite
	}
	return nil
}

func (w *writer) table(ctx context.Context, s *store.Snapshot, t *store.Table) error {
	w.sum, w.parts = sha256.New(), 0
	c := Contents{Name: t.Name, Columns: t.Columns}
	lines := json.NewEncoder(&w.part)
	lines.SetEscapeHTML(false)
	err := s.Rows(ctx, t, func(row []any) error {
		if c.Rows++; w.done%1000 == 0 {
			w.tell(t.Name)
		}
		w.done++
		w.note(t, row)
		if err := lines.Encode(row); err != nil { // bytes become base64
			return err
		}
		if w.part.Len() < partSize {
			return nil
		}
		return w.flush(t.Name)
	})
	if err == nil && w.part.Len() > 0 {
		err = w.flush(t.Name)
	}
	c.SHA256 = w.sum.Sum(nil)
	w.manifest.Tables = append(w.manifest.Tables, c)
	w.tell(t.Name)
	return err
}

func (w *writer) tell(table string) {
	if w.Progress != nil {
		w.Progress(Progress{Table: table, Rows: w.done, Of: w.of})
	}
}

// note keeps what the manifest says of the site.
func (w *writer) note(t *store.Table, row []any) {
	for i, c := range t.Columns {
		switch t.Name + "." + c.Name {
		case "site.id":
			w.manifest.SiteID, _ = row[i].(string)
		case "site.name":
			w.manifest.SiteName, _ = row[i].(string)
		case "journal_head.seq":
			w.manifest.Seq, _ = row[i].(int64)
		case "journal_head.hash":
			b, _ := row[i].([]byte)
			w.manifest.Hash = bytes.Clone(b)
		}
	}
}

func (w *writer) flush(table string) error {
	w.parts++
	w.sum.Write(w.part.Bytes())
	err := w.member(fmt.Sprintf("tables/%s/%06d.jsonl", table, w.parts), w.part.Bytes())
	w.part.Reset()
	return err
}

func (w *writer) member(name string, body []byte) error {
	err := w.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(body)), ModTime: w.manifest.TakenAt.Truncate(time.Second)})
	if err == nil {
		_, err = w.tar.Write(body)
	}
	return err
}

func (w *writer) finish() error {
	w.manifest.Head = journal.Head{Seq: w.manifest.Seq, Hash: w.manifest.Hash}
	if err := w.manifest.sign(w.Keys); err != nil {
		return err
	}
	text, err := json.MarshalIndent(w.manifest, "", "  ")
	if err != nil {
		return err
	}
	return errors.Join(w.member(manifestName, append(text, '\n')), w.tar.Close(), w.zip.Close())
}
