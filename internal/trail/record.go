package trail

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"causeway/internal/journal"
	"causeway/tenants"
)

// Record is a row of the journal as it leaves the site: one line of an export, or the
// data of a message. Its digests let the receiver prove later that nobody has changed
// it, and that none between two of them is missing.
type Record struct {
	Seq  int64     `json:"seq"`
	Prev hexDigest `json:"prev,omitempty"`
	Hash hexDigest `json:"hash,omitempty"`
	// Site is the id of the site whose journal it is.
	Site tenants.SiteID `json:"site,omitempty"`
	// OrgName is what the organization of the entry is called now; a deleted one has
	// no name.
	OrgName string        `json:"orgName,omitempty"`
	Entry   journal.Entry `json:"entry"`
}

// hexDigest is a digest in hexadecimal digits. The first row follows none: its Prev
// is empty.
type hexDigest []byte

func (d hexDigest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d), nil }

func (d *hexDigest) UnmarshalText(text []byte) (err error) {
	*d, err = hex.AppendDecode(nil, text)
	return err
}

// NewRecord is row as reader may know it. Only the provider gets digests: who has one
// and all of an entry but an address finds the address by trying all there are, and
// [Address] hides some from tenants.
func NewRecord(row journal.Row, reader tenants.Principal) Record {
	r := Record{Seq: row.Seq, Entry: row.Entry}
	r.Entry.Source = Address(reader, row)
	if reader.Provider() {
		r.Prev, r.Hash = row.Prev, row.Hash
	}
	return r
}

// check says what is wrong with a record by itself, or nothing.
func (r Record) check() string {
	row, err := journal.Chain(r.Seq, r.Prev, r.Entry)
	if err != nil || !bytes.Equal(row.Hash, r.Hash) {
		return fmt.Sprintf("row %d was changed", r.Seq)
	}
	return ""
}

// End is the last line of an export. Without one the export was cut off.
type End struct {
	// Rows are how many lines stand before it, of this run.
	Rows int64 `json:"rows"`
	// Next is up to where everything was looked at, and where the next run goes on.
	Next int64 `json:"next"`
	// Complete says that there was no more when it ended.
	Complete bool `json:"complete"`
	// Head is the end of the journal then.
	Head *journal.Head `json:"head,omitempty"`
}

// line is one of an export.
type line struct {
	Record
	End *End `json:"end"`
}

// MarshalLine is l as it was written.
func (l line) MarshalLine() ([]byte, error) {
	if l.End != nil {
		return l.End.MarshalLine()
	}
	return l.Record.MarshalLine()
}

// MarshalLine is r as a line, without its end.
func (r Record) MarshalLine() ([]byte, error) { return json.Marshal(r) }

// MarshalLine is e as a line, without its end.
func (e End) MarshalLine() ([]byte, error) { return json.Marshal(map[string]End{"end": e}) }
