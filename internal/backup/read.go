package backup

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"

	"causeway/internal/store"
)

// maxLine bounds a row: the largest are documents of a few hundred kilobytes.
const maxLine = 16 << 20

// Check reads the whole file and compares it with its manifest: every table is as it
// was written, and nothing is missing or put in.
func Check(ctx context.Context, in io.Reader) (Manifest, error) {
	type sums struct {
		hash hash.Hash
		rows int64
	}
	found := map[string]*sums{}
	var m Manifest
	over := false
	err := members(in, func(name string, body io.Reader) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if over {
			return damaged("something follows the manifest")
		}
		if name == manifestName {
			over = true
			text, err := io.ReadAll(io.LimitReader(body, maxManifest))
			if err != nil {
				return fmt.Errorf("%w: %w", ErrDamaged, err)
			}
			m, err = ParseManifest(text)
			return err
		}
		table := tableOf(name)
		if table == "" {
			return damaged("it holds %.100q", name)
		}
		s := found[table]
		if s == nil {
			s = &sums{hash: sha256.New()}
			found[table] = s
		}
		lines := &lineCounter{}
		if _, err := io.Copy(io.MultiWriter(s.hash, lines), body); err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		s.rows += lines.n
		return nil
	})
	if err != nil {
		return m, err
	}
	if !over {
		return m, damaged("it ends before its manifest: it was cut off")
	}
	for _, t := range m.Tables {
		s := found[t.Name]
		if s == nil {
			s = &sums{hash: sha256.New()}
		}
		if s.rows != t.Rows || !bytes.Equal(s.hash.Sum(nil), t.SHA256) {
			return m, damaged("the table %s is not as it was written", t.Name)
		}
		delete(found, t.Name)
	}
	for name := range found {
		return m, damaged("it holds a table %.100q that its manifest does not know", name)
	}
	return m, nil
}

type lineCounter struct{ n int64 }

func (l *lineCounter) Write(p []byte) (int, error) {
	l.n += int64(bytes.Count(p, []byte{'\n'}))
	return len(p), nil
}

// tableOf is the table of a member; "" if it is none.
func tableOf(name string) string {
	table, part, _ := strings.Cut(strings.TrimPrefix(name, "tables/"), "/")
	if !strings.HasPrefix(name, "tables/") || !strings.HasSuffix(part, ".jsonl") || strings.Contains(part, "/") {
		return ""
	}
	return table
}

// members tells f each member of the archive.
func members(in io.Reader, f func(name string, body io.Reader) error) error {
	zip, err := gzip.NewReader(bufio.NewReaderSize(in, 1<<16))
	if err != nil {
		return fmt.Errorf("%w: it is no backup, or cut off: %w", ErrDamaged, err)
	}
	archive := tar.NewReader(zip)
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			// To the end, whose checksum gzip compares.
			if _, err := io.Copy(io.Discard, zip); err != nil { // #nosec G110 -- nothing is kept
				return fmt.Errorf("%w: %w", ErrDamaged, err)
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		if h.Typeflag != tar.TypeReg {
			return damaged("it holds %.100q, which is no file", h.Name)
		}
		if err := f(h.Name, archive); err != nil {
			return err
		}
	}
}

// checked is a file whose contents have been compared with its manifest.
type checked struct {
	*os.File
	sum []byte // of the bytes that were compared
}

func open(ctx context.Context, file string) (*checked, Manifest, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, Manifest{}, err
	}
	sum := sha256.New()
	m, err := Check(ctx, io.TeeReader(f, sum))
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, m, errors.Join(err, f.Close())
	}
	return &checked{f, sum.Sum(nil)}, m, nil
}

// again reads the members once more, and fails unless they are what was compared:
// between two readings somebody may have written.
func (c *checked) again(f func(name string, body io.Reader) error) error {
	sum := sha256.New()
	if err := members(io.TeeReader(c.File, sum), f); err != nil {
		return err
	}
	if !bytes.Equal(sum.Sum(nil), c.sum) {
		return damaged("it was changed while it was read")
	}
	return nil
}

// rows reads the rows of one table, whose members follow each other.
type rows struct {
	columns []store.Column
	scan    *bufio.Scanner
}

func newRows(columns []store.Column, body io.Reader) *rows {
	s := bufio.NewScanner(body)
	s.Buffer(make([]byte, 0, 64<<10), maxLine)
	return &rows{columns: columns, scan: s}
}

// next is nil at the end.
func (r *rows) next() ([]any, error) {
	if !r.scan.Scan() {
		return nil, r.scan.Err()
	}
	return ParseRow(r.scan.Bytes(), r.columns)
}

// ParseRow reads a line of a table: of each column a string, an int64, bytes or nil.
func ParseRow(line []byte, columns []store.Column) ([]any, error) {
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	var row []any
	if err := dec.Decode(&row); err != nil || len(row) != len(columns) {
		return nil, damaged("a row is not a list of %d values", len(columns))
	}
	for i, c := range columns {
		v, ok := value(row[i], c.Kind)
		if !ok {
			return nil, damaged("the column %s holds something else than %s", c.Name, c.Kind)
		}
		row[i] = v
	}
	return row, nil
}

func value(v any, kind string) (any, bool) {
	switch v := v.(type) {
	case nil:
		return nil, true
	case json.Number:
		n, err := v.Int64()
		return n, err == nil && kind == "int"
	case string:
		if kind == "text" {
			return v, true
		}
		b, err := base64.StdEncoding.DecodeString(v)
		return b, err == nil && kind == "bytes"
	}
	return nil, false
}
