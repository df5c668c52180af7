package store

import (
	"context"
	"encoding/json"
	"fmt"

	"causeway/internal/journal"
)

// Archive is the journal as an auditor reads it.
func (d *DB) Archive() journal.Archive { return archive{upkeepStore{d}} }

type archive struct{ upkeepStore }

func (a archive) Stored(ctx context.Context, seq int64, limit int) ([]journal.Stored, error) {
	var rows []journalRow
	if err := a.on(ctx, a.read).db.Where("seq > ?", seq).Order("seq").Limit(limit).Find(&rows).Error; err != nil {
		return nil, fault(err)
	}
	return convert(rows, journalRow.stored), nil
}

// stored also reads an entry that is none: then no column is as in it.
func (r journalRow) stored() journal.Stored {
	s := journal.Stored{Row: journal.Row{Seq: r.Seq, Prev: r.Prev, Hash: r.Hash}, Body: []byte(r.Entry)}
	_ = json.Unmarshal(s.Body, &s.Entry)
	says := filed(s.Entry)
	for _, c := range []struct {
		name string
		same bool
	}{
		{"at", r.At == says.At}, {"org_id", r.OrgID == says.OrgID}, {"action", r.Action == says.Action},
		{"subject_kind", r.SubjectKind == says.SubjectKind}, {"subject_id", r.SubjectID == says.SubjectID},
	} {
		if !c.same {
			s.Astray = append(s.Astray, c.name)
		}
	}
	return s
}

func (a archive) End(ctx context.Context) (journal.Head, error) {
	var head headRow
	err := take(a.on(ctx, a.read).db.Where("one = 1"), &head)
	return journal.Head{Seq: head.Seq, Hash: head.Hash}, err
}

func (a archive) Borders(ctx context.Context, l journal.Log) (journal.Borders, error) {
	var row sealRow
	err := a.on(ctx, a.read).db.Where("log = ?", string(l)).Limit(1).Find(&row).Error
	return journal.Borders{Sealed: row.Last, Purged: row.Purged}, fault(err)
}

func (a archive) Younger(ctx context.Context, l journal.Log, after int64, limit int) (journal.Events, error) {
	var found struct{ Count, Last, At int64 }
	err := a.on(ctx, a.read).db.Raw(fmt.Sprintf(`SELECT count(*) AS count, COALESCE(max(id), 0) AS last, COALESCE(min(at), 0) AS at
		FROM (SELECT id, at FROM %s WHERE id > ? ORDER BY id LIMIT ?) young`, l), after, limit).Find(&found).Error
	return journal.Events{Count: int(found.Count), Last: found.Last, At: fromMicros(found.At)}, fault(err)
}
