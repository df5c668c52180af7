package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"gorm.io/gorm"

	"causeway/internal/journal"
)

type sealRow struct {
	Log    string `gorm:"primaryKey"`
	Last   int64
	Purged int64
}

func (sealRow) TableName() string { return "seals" }

// sealedEvent is what a seal covers of a token event: all of it. Its JSON is in
// hashes that are in the journal for ever, so no member is ever renamed, moved or
// dropped, and a new one is left out while it is empty.
type sealedEvent struct {
	ID        int64  `json:"id"`
	At        int64  `json:"at"`
	OrgID     string `json:"org_id"`
	AccountID string `json:"account_id"`
	Kind      string `json:"kind"`
	Source    string `json:"source"`
	Detail    string `json:"detail"`
}

// sealedRefusal is the same of a refusal.
type sealedRefusal struct {
	ID        int64  `json:"id"`
	At        int64  `json:"at"`
	OrgID     string `json:"org_id"`
	RequestID string `json:"request_id"`
	ActorKind string `json:"actor_kind"`
	ActorID   string `json:"actor_id"`
	ActorName string `json:"actor_name"`
	ActorOrg  string `json:"actor_org"`
	Address   string `json:"address"`
	Method    string `json:"method"`
	Route     string `json:"route"`
	Status    int64  `json:"status"`
	Code      string `json:"code"`
	Detail    string `json:"detail"`
}

// pageOfEvents is how many events one statement reads.
const pageOfEvents = 1000

// Events reads page by page: one statement never takes long.
func (s upkeepStore) Events(ctx context.Context, l journal.Log, after, upTo int64, limit int) ([]journal.Event, error) {
	read := readEvents[sealedEvent]
	if l == journal.Refusals {
		read = readEvents[sealedRefusal]
	}
	var all []journal.Event
	for len(all) < limit {
		size := min(pageOfEvents, limit-len(all))
		page, err := read(s.on(ctx, s.read).db.Table(string(l)).
			Where("id > ? AND id <= ?", after, upTo).Order("id").Limit(size))
		if err != nil {
			return all, err
		}
		if all = append(all, page...); len(page) < size {
			break
		}
		after = page[len(page)-1].ID
	}
	return all, nil
}

func readEvents[R any](q *gorm.DB) ([]journal.Event, error) {
	var rows []R
	if err := q.Find(&rows).Error; err != nil {
		return nil, fault(err)
	}
	return convertAll(rows, func(r R) (e journal.Event, err error) {
		switch r := any(r).(type) {
		case sealedEvent:
			e.ID = r.ID
		case sealedRefusal:
			e.ID = r.ID
		}
		e.JSON, err = json.Marshal(r)
		return e, err
	})
}

func (s upkeepStore) Newest(ctx context.Context, l journal.Log) (id int64, err error) {
	err = s.on(ctx, s.read).db.Raw("SELECT COALESCE(max(id), 0) FROM " + string(l)).Find(&id).Error
	return id, fault(err)
}

func (s upkeepStore) Sealed(ctx context.Context, l journal.Log) (int64, error) {
	var row sealRow
	err := s.on(ctx, s.read).db.Where("log = ?", string(l)).Limit(1).Find(&row).Error
	return row.Last, fault(err)
}

// errSealedMeanwhile undoes a transaction that came too late.
var errSealedMeanwhile = errors.New("sealed by another cell")

func (s upkeepStore) Seal(ctx context.Context, seal journal.Seal, after int64, e journal.Entry) (bool, error) {
	err := s.inTx(Background(ctx), func(t *tx) error {
		if _, err := t.exec("INSERT INTO seals (log, last, purged) VALUES (?, 0, 0) ON CONFLICT (log) DO NOTHING", string(seal.Log)); err != nil {
			return err
		}
		n, err := t.exec("UPDATE seals SET last = ? WHERE log = ? AND last = ?", seal.Last, string(seal.Log), after)
		if err != nil {
			return err
		}
		if n == 0 {
			return errSealedMeanwhile
		}
		return t.Record(e)
	})
	if errors.Is(err, errSealedMeanwhile) {
		return false, nil
	}
	return err == nil, err
}

// AllowPurge moves the border to the end of the last seal before a time: all that
// it and those before it stand for is older still.
func (s upkeepStore) AllowPurge(ctx context.Context, l journal.Log, before, now time.Time) error {
	var found []journalRow
	err := s.on(ctx, s.read).db.Where("subject_kind = 'log' AND subject_id = ? AND at < ? AND action = ?", string(l), micros(before), string(l.Sealed())).
		Order("at DESC, seq DESC").Limit(1).Find(&found).Error
	if err != nil || len(found) == 0 {
		return fault(err)
	}
	row, err := found[0].row()
	if err != nil {
		return err
	}
	seal, err := journal.ParseSeal(row.Entry)
	if err != nil {
		return err
	}
	return s.allowPurge(ctx, l, seal.Last, now)
}

func (s upkeepStore) allowPurge(ctx context.Context, l journal.Log, last int64, now time.Time) error {
	return s.inTx(Background(ctx), func(t *tx) error {
		n, err := t.exec("UPDATE seals SET purged = ? WHERE log = ? AND purged < ? AND last >= ?", last, string(l), last, last)
		if err != nil || n == 0 {
			return err
		}
		return t.Record(l.Purge(now, last))
	})
}
