package backup

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"causeway/internal/journal"
	"causeway/internal/secret"
	"causeway/internal/store"
)

const (
	// format is how the file is written; a later one is not guessed at.
	format = 1
	// manifestName is the last member of the file.
	manifestName = "manifest.json"
	// maxManifest is several times what a hundred tables need.
	maxManifest = 1 << 20
	// codePurpose keeps the code over a manifest from being any other digest.
	codePurpose = "backup manifest"
)

// Manifest says what a file holds.
type Manifest struct {
	Format   int          `json:"format"`
	Schema   int64        `json:"schema"`
	Version  string       `json:"causeway"`
	SiteID   string       `json:"siteId"`
	SiteName string       `json:"siteName"`
	TakenAt  time.Time    `json:"takenAt"`
	Head     journal.Head `json:"-"`
	Seq      int64        `json:"journalSeq"`
	Hash     []byte       `json:"journalHash"`
	// Watermark is the one that was kept, if any.
	Watermark string     `json:"watermark,omitempty"`
	Tables    []Contents `json:"tables"`
	// MasterKey names the master key of the site, and Code is by it over the
	// manifest without the code.
	MasterKey string `json:"masterKey"`
	Code      []byte `json:"code,omitempty"`
}

// Contents are a table's.
type Contents struct {
	Name    string         `json:"name"`
	Columns []store.Column `json:"columns"`
	Rows    int64          `json:"rows"`
	SHA256  []byte         `json:"sha256"` // of its lines
}

// Rows are those of all tables.
func (m Manifest) Rows() (n int64) {
	for _, t := range m.Tables {
		n += t.Rows
	}
	return n
}

// ErrDamaged is a file that is not as it was written.
var ErrDamaged = errors.New("the backup is damaged")

// ErrForeign is a file that was made with another master key, or changed by
// somebody without it.
var ErrForeign = errors.New("the backup is not by this site's master key")

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

func (m Manifest) code(keys *secret.Keys) ([]byte, error) {
	m.Code = nil
	text, err := json.Marshal(m)
	return keys.Digest(codePurpose, base64.StdEncoding.EncodeToString(text)), err
}

func (m *Manifest) sign(keys *secret.Keys) (err error) {
	m.MasterKey = keys.KeyID()
	m.Code, err = m.code(keys)
	return err
}

// CheckKey is ErrForeign unless the holder of keys wrote the manifest.
func (m Manifest) CheckKey(keys *secret.Keys) error {
	code, err := m.code(keys)
	switch {
	case err != nil:
		return err
	case m.MasterKey != keys.KeyID():
		return fmt.Errorf("%w: it was made with the key %s, the configured one is %s", ErrForeign, m.MasterKey, keys.KeyID())
	case !secret.Equal(code, m.Code):
		return fmt.Errorf("%w: somebody without the key has changed it", ErrForeign)
	}
	return nil
}

// ParseManifest reads a manifest strictly: what this version does not know it
// cannot restore.
func ParseManifest(text []byte) (Manifest, error) {
	var m Manifest
	dec := json.NewDecoder(bytes.NewReader(text))
	var version struct{ Format int }
	if err := json.Unmarshal(text, &version); err != nil {
		return m, damaged("its manifest is not JSON")
	}
	if version.Format != format {
		return m, fmt.Errorf("the backup is of format %d, this version of causeway reads %d", version.Format, format)
	}
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		return m, damaged("its manifest: %v", err)
	}
	m.Head = journal.Head{Seq: m.Seq, Hash: m.Hash}
	seen := map[string]bool{}
	for _, t := range m.Tables {
		if t.Name == "" || seen[t.Name] || t.Rows < 0 || len(t.SHA256) != 32 || len(t.Columns) == 0 {
			return m, damaged("its manifest describes the table %q wrongly", t.Name)
		}
		seen[t.Name] = true
		for _, c := range t.Columns {
			if c.Name == "" || c.Kind != "text" && c.Kind != "int" && c.Kind != "bytes" {
				return m, damaged("its manifest describes the column %s.%q wrongly", t.Name, c.Name)
			}
		}
	}
	if m.Schema < 1 || m.Seq < 0 {
		return m, damaged("its manifest has no version of the schema")
	}
	return m, nil
}
