package store

import (
	"context"
	"encoding/json"

	"causeway/internal/journal"
	"causeway/tenants"
)

type headRow struct {
	One  int `gorm:"primaryKey;autoIncrement:false"`
	Seq  int64
	Hash []byte
}

func (headRow) TableName() string { return "journal_head" }

type journalRow struct {
	Seq         int64 `gorm:"primaryKey;autoIncrement:false"`
	At          int64
	OrgID       string
	Action      string
	SubjectKind string
	SubjectID   string
	Entry       string
	Prev        []byte
	Hash        []byte
}

func (journalRow) TableName() string { return "journal" }

// Record keeps the entry until the end of the transaction, see [tx.appendJournal].
func (t *tx) Record(e journal.Entry) error {
	t.entries = append(t.entries, e)
	return nil
}

// appendJournal places the transaction's entries in the chain and returns the
// last sequence, 0 if there are none. The head row is locked first: it is what
// makes the sequence gapless and readable in order.
func (t *tx) appendJournal() (int64, error) {
	if len(t.entries) == 0 {
		return 0, nil
	}
	var head headRow
	if err := take(forUpdate(t.db).Where("one = 1"), &head); err != nil {
		return 0, err
	}
	rows := make([]journalRow, 0, len(t.entries))
	for _, e := range t.entries {
		row, err := chain(head, e)
		if err != nil {
			return 0, err
		}
		head.Seq, head.Hash = row.Seq, row.Hash
		rows = append(rows, row)
	}
	if _, err := t.wrote(t.db.CreateInBatches(&rows, 200)); err != nil {
		return 0, err
	}
	return head.Seq, t.must(t.db.Model(&headRow{}).Where("one = 1").
		UpdateColumns(map[string]any{"seq": head.Seq, "hash": blob(head.Hash)}))
}

func chain(head headRow, e journal.Entry) (journalRow, error) {
	// What is hashed must be what a reader gets back: JSON replaces bytes that
	// are not UTF-8, so the entry goes through it once before it is hashed.
	e, _, err := throughJSON(e)
	if err != nil {
		return journalRow{}, err
	}
	row, err := journal.Chain(head.Seq+1, head.Hash, e)
	if err != nil {
		return journalRow{}, err
	}
	_, text, err := throughJSON(row.Entry)
	kept := filed(row.Entry)
	kept.Seq, kept.Entry, kept.Prev, kept.Hash = row.Seq, text, notNil(row.Prev), row.Hash
	return kept, err
}

// filed is what stands beside the entry, to find it by.
func filed(e journal.Entry) journalRow {
	return journalRow{
		At: micros(e.At), OrgID: clean(e.Org), Action: string(e.Action),
		SubjectKind: clean(e.Subject.Kind), SubjectID: clean(e.Subject.ID),
	}
}

func throughJSON(e journal.Entry) (back journal.Entry, text string, err error) {
	b, err := json.Marshal(e)
	if err == nil {
		err = json.Unmarshal(b, &back)
	}
	return back, string(b), err
}

func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func (s journalSource) Head(ctx context.Context) (int64, error) {
	var head headRow
	err := s.view(Background(ctx), func(r *reader) error { return take(r.db.Where("one = 1"), &head) })
	return head.Seq, err
}

func (s journalSource) After(ctx context.Context, seq int64, limit int) ([]journal.Row, error) {
	var rows []journalRow
	if err := s.view(Background(ctx), func(r *reader) error {
		return fault(r.db.Where("seq > ?", seq).Order("seq").Limit(limit).Find(&rows).Error)
	}); err != nil {
		return nil, err
	}
	return convertAll(rows, journalRow.row)
}

func (r journalRow) row() (journal.Row, error) {
	row := journal.Row{Seq: r.Seq, Prev: r.Prev, Hash: r.Hash}
	err := json.Unmarshal([]byte(r.Entry), &row.Entry)
	return row, err
}

func (r *reader) Audit(org tenants.OrgID, q tenants.Query) ([]journal.Row, int, error) {
	rows, total, err := page[journalRow](r, listing{
		base: "SELECT * FROM journal WHERE org_id = ?", args: []any{string(org)},
		columns: "seq, at, action, subject_kind, subject_id", hidden: "org_id, entry, prev, hash",
		order: "seq DESC", unique: "seq",
	}, q)
	if err != nil {
		return nil, 0, err
	}
	list, err := convertAll(rows, journalRow.row)
	return list, total, err
}

func (r *reader) WasRecorded(org tenants.OrgID, action journal.Action) (bool, error) {
	var one int
	err := r.db.Raw("SELECT 1 FROM journal WHERE org_id = ? AND action = ? LIMIT 1", string(org), string(action)).Find(&one).Error
	return one == 1, fault(err)
}
