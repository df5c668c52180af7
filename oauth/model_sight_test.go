package oauth_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"causeway/internal/journal"
	"causeway/oauth"
)

// look reads from the database what [life.sight] tells of the model.
func (tr *trial) look(enabled bool) string {
	var lines []string
	for i, id := range tr.ids {
		lines = append(lines, fmt.Sprintf("account %s deleted %t", id, tr.rows.count(fmt.Sprintf("service_accounts WHERE id = '%s'", id)) == 0))
		lines = append(lines, tr.lookAtRequests(id)...)
		lines = append(lines, tr.lookAtFamilies(id)...)
		if enabled {
			lines = append(lines, fmt.Sprintf("sessions %s %d", id, tr.rows.count(fmt.Sprintf(
				"sessions WHERE principal = '%s' AND ended_at = 0 AND expires_at > %d", id, micros(tr.clock.now())))))
		}
		lines = append(lines, fmt.Sprintf("alarms %s %d %d", id, tr.entries(tr.ids[i], journal.FamilyReplayed), tr.entries(id, journal.FamilyExpired)))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (tr *trial) entries(id oauth.ClientID, action journal.Action) int {
	return tr.rows.count(fmt.Sprintf("journal WHERE subject_id = '%s' AND action = '%s'", id, action))
}

func (tr *trial) lookAtRequests(id oauth.ClientID) (lines []string) {
	found, err := tr.rows.db.QueryContext(tr.ctx(), fmt.Sprintf(
		"SELECT state, created_at, interval_micros, last_poll, source FROM device_requests WHERE account_id = '%s'", id))
	tr.must(err)
	defer found.Close()
	for found.Next() {
		var r requestLife
		var asked, interval, polled int64
		tr.must(found.Scan(&r.state, &asked, &interval, &polled, &r.source))
		r.asked, r.interval = time.UnixMicro(asked), time.Duration(interval)*time.Microsecond
		if polled != 0 {
			r.polled = time.UnixMicro(polled)
		}
		lines = append(lines, requestLine(id, r))
	}
	tr.must(found.Err())
	return lines
}

func (tr *trial) lookAtFamilies(id oauth.ClientID) (lines []string) {
	found, err := tr.rows.db.QueryContext(tr.ctx(), fmt.Sprintf(`SELECT f.id, f.generation, f.revoked_at, f.created_at, u.used_at, u.source, u.retries
		FROM token_families f LEFT JOIN used_tokens u ON u.org_id = f.org_id AND u.family_id = f.id
		WHERE f.account_id = '%s' ORDER BY f.id, u.generation`, id))
	tr.must(err)
	defer found.Close()
	last := ""
	for found.Next() {
		var family string
		var generation, revoked, granted int64
		var at, retries *int64
		var source *string
		tr.must(found.Scan(&family, &generation, &revoked, &granted, &at, &source, &retries))
		if family != last {
			last = family
			lines = append(lines, fmt.Sprintf("family %s revoked %t granted %d generation %d", id, revoked != 0, granted, generation))
		}
		if at != nil {
			lines[len(lines)-1] += fmt.Sprintf(" (%d %s %d)", *at, *source, *retries)
		}
	}
	tr.must(found.Err())
	return lines
}
