package store

import (
	"context"
	"database/sql"
	"strings"

	"gorm.io/gorm"
)

// SQLite compiles a statement each time it runs, which takes longer than running
// it: a batch is four statements, however many rotate. The plus signs keep it from
// reading all families to look each up in the list.
const (
	moveFamilies = `UPDATE token_families SET current_digest = v.column2, generation = generation + 1 FROM (VALUES `
	movedThose   = `) v WHERE token_families.current_digest = +v.column1 AND token_families.org_id = +v.column3 AND token_families.id = +v.column4
		AND revoked_at = 0 AND EXISTS (SELECT 1 FROM organizations o WHERE o.id = v.column3 AND o.enabled = 1)
		RETURNING org_id, id, account_id, generation`
)

// commitSQLite runs jobs in one transaction, or each on its own when one of them
// cannot be written.
func (d *DB) commitSQLite(conn *sql.Conn, jobs []rotationJob) []rotationAnswer {
	answers, err := d.inOne(conn, jobs)
	if err == nil {
		return answers
	}
	answers = make([]rotationAnswer, len(jobs))
	for i := range jobs {
		if len(jobs) > 1 {
			answers[i] = d.commitSQLite(conn, jobs[i:i+1])[0]
		} else {
			answers[i] = rotationAnswer{err: err}
		}
	}
	return answers
}

// inOne runs jobs in one transaction. An error means that none happened.
func (d *DB) inOne(conn *sql.Conn, jobs []rotationJob) ([]rotationAnswer, error) {
	ctx := context.WithoutCancel(jobs[0].ctx)
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	answers := make([]rotationAnswer, len(jobs))
	db := d.write.session(ctx, counted{tx, d.stats})
	for todo := everyone(jobs); len(todo) > 0; {
		var one []int
		one, todo = apart(jobs, todo)
		if err := rotateMany(db, jobs, one, answers); err != nil {
			_ = tx.Rollback()
			return nil, err
		}
	}
	if err := tx.Commit(); err != nil {
		d.abandon(ctx, conn)
		return nil, err
	}
	return answers, nil
}

// rotateMany rotates those at the places, one of each family: what the first
// statement moves takes its used token, session and event with it.
func rotateMany(db *gorm.DB, jobs []rotationJob, places []int, answers []rotationAnswer) error {
	values, args := make([]string, len(places)), make([]any, 0, 4*len(places))
	place := make(map[string]int, len(places))
	for k, i := range places {
		r := jobs[i].what
		values[k], args = "(?, ?, ?, ?)", append(args, blob(r.From), blob(r.To), string(r.Org), r.Family)
		place[string(r.Org)+" "+r.Family] = i
	}
	var moved []familyRow
	if err := db.Raw(moveFamilies+strings.Join(values, ", ")+movedThose, args...).Scan(&moved).Error; err != nil || len(moved) == 0 {
		return err
	}
	var used []usedTokenRow
	var sessions []sessionRow
	var events []eventRow
	for _, f := range moved {
		i := place[f.OrgID+" "+f.ID]
		r := jobs[i].what
		answers[i].value = true
		used = append(used, usedTokenRow{
			Digest: r.From, OrgID: f.OrgID, FamilyID: f.ID, Generation: f.Generation - 1, UsedAt: micros(r.At), Source: clean(r.Source),
		})
		s := newSessionRow(r.Session)
		s.OrgID, s.Principal, s.FamilyID, s.EndedAt, s.LegacyDigest = f.OrgID, f.AccountID, f.ID, 0, blob{}
		sessions = append(sessions, s)
		events = append(events, eventRow{At: micros(r.At), OrgID: f.OrgID, AccountID: f.AccountID, Kind: eventRefreshed, Source: clean(r.Source)})
	}
	for _, rows := range []any{&used, &sessions, &events} {
		if err := db.Create(rows).Error; err != nil {
			return err
		}
	}
	return nil
}
