package store

import (
	"context"
	"database/sql"
	"iter"
	"strings"

	"gorm.io/gorm"
)

// SQLite compiles a statement each time it runs, which takes longer than running
// it: a batch is four statements, however many rotate. The plus signs keep it from
// reading all families to look each up in the list.
const (
	moveFamilies = `UPDATE token_families SET current_digest = v.column2, generation = generation + 1 FROM (VALUES `
	movedThose   = `) v WHERE token_families.current_digest = +v.column1 AND token_families.org_id = +v.column3 AND revoked_at = 0
		AND (v.column4 = '' OR account_id = v.column4) AND created_at + v.column7 > v.column6
		AND EXISTS (SELECT 1 FROM organizations o WHERE o.id = v.column3 AND o.enabled = 1)
		AND (SELECT quota_policy_id ` + theHolder + `) = v.column5
		RETURNING id, account_id, generation, created_at, current_digest,
			(SELECT name ` + theHolder + `) AS name, (SELECT software_id ` + theHolder + `) AS software_id, (SELECT role_id ` + theHolder + `) AS role_id`
	theHolder = `FROM service_accounts a WHERE a.org_id = token_families.org_id AND a.id = token_families.account_id`
)

// movedRow is a family that rotated, with what its account is called.
type movedRow struct {
	Family     familyRow `gorm:"embedded"`
	Name       string
	SoftwareID string
	RoleID     string
}

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
	if err := d.markRotations(ctx, madeBy(answers)); err != nil {
		_ = tx.Rollback()
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		d.abandon(ctx, conn)
		return nil, err
	}
	return answers, nil
}

// madeBy are what was opened.
func madeBy(answers []rotationAnswer) iter.Seq[opening] {
	return func(yield func(opening) bool) {
		for _, a := range answers {
			if !yield(a.value) {
				return
			}
		}
	}
}

// rotateMany rotates those at the places, one of each token: what the first
// statement moves takes its used token, session and event with it.
func rotateMany(db *gorm.DB, jobs []rotationJob, places []int, answers []rotationAnswer) error {
	values, args := make([]string, len(places)), make([]any, 0, 7*len(places))
	place := make(map[string]int, len(places))
	for k, i := range places {
		r := jobs[i].what
		values[k] = "(?, ?, ?, ?, ?, ?, ?)"
		args = append(args, blob(r.From), blob(r.To), string(r.Org), string(r.Client), string(r.Quota), micros(r.At), maxAge(r.MaxAge))
		place[string(r.To)] = i
	}
	var moved []movedRow
	if err := db.Raw(moveFamilies+strings.Join(values, ", ")+movedThose, args...).Scan(&moved).Error; err != nil || len(moved) == 0 {
		return err
	}
	var used []usedTokenRow
	var sessions []sessionRow
	var events []eventRow
	for _, m := range moved {
		f, i := m.Family, place[string(m.Family.CurrentDigest)]
		r := jobs[i].what
		end := min(micros(r.At.Add(r.Lifetime)), f.CreatedAt+maxAge(r.MaxAge))
		answers[i].value = opened(r, f.ID, int64(f.Generation), f.AccountID, end, m.Name, m.SoftwareID, m.RoleID)
		sessions = append(sessions, newSessionRow(answers[i].value.session))
		used = append(used, usedTokenRow{
			Digest: r.From, OrgID: string(r.Org), FamilyID: f.ID, Generation: f.Generation - 1, UsedAt: micros(r.At), Source: clean(r.Source),
		})
		events = append(events, eventRow{At: micros(r.At), OrgID: string(r.Org), AccountID: f.AccountID, Kind: eventRefreshed, Source: clean(r.Source)})
	}
	for _, rows := range []any{&used, &sessions, &events} {
		if err := db.Create(rows).Error; err != nil {
			return err
		}
	}
	return nil
}
