package sites

import (
	"maps"
	"strings"
	"time"

	"causeway/federation"
	"causeway/internal/journal"
	"causeway/portal/ui"
	"causeway/tenants"
)

// event is a line of the journal as the pages tell it.
type event struct {
	At        time.Time
	What, Who string
	Details   []string
}

const historyLines = 20

// history is what the journal says about an association, the newest first. Only
// lines of associations are about it: a subject's identifier is not its alone. site
// tells apart what is not told by the subject; it may be empty.
func (p *Pages) history(s *ui.Screen, org tenants.OrgID, kind, id, site string) (list []event, err error) {
	rows, _, err := p.Tenants.Audit(s.Request.Context(), org, tenants.Query{
		Where: "subject_kind = ? AND subject_id = ?", Args: []any{kind, id}, Page: 1, PageSize: historyLines, SortBy: "seq", Desc: true,
	})
	for _, row := range rows {
		if site != "" && row.Detail["site"] != site {
			continue
		}
		list = append(list, newEvent(s, row))
	}
	return list, err
}

func newEvent(s *ui.Screen, row journal.Row) event {
	e := event{At: row.At, What: s.T("sites.did." + strings.ToLower(string(row.Action))), Who: row.Actor.Name, Details: details(s, row.Detail)}
	if row.Actor.Kind == journal.System.Kind {
		e.Who = s.T("sites.did.itself")
	}
	was, now := row.Detail["was"], row.Detail["status"]
	if was == "" {
		was, now = row.Detail["status.old"], row.Detail["status.new"]
	}
	if was != "" {
		e.What = s.T("sites.did.became", newState(s, federation.Status(was)).Word, newState(s, federation.Status(now)).Word)
	}
	return e
}

// details are what a line says besides: what changed, each with what it was. What the
// sentence of the line says already, and the site of the page, are not among them.
func details(s *ui.Screen, detail map[string]string) (list []string) {
	detail = maps.Clone(detail)
	reason := detail["reason"]
	for _, said := range []string{"status", "status.old", "status.new", "was", "site", "reason"} {
		delete(detail, said)
	}
	for _, d := range s.Details(detail) {
		if d.Value == "" {
			d.Value = d.Old + " → " + d.New
		}
		list = append(list, d.Name+": "+d.Value)
	}
	if reason != "" {
		list = append(list, reason)
	}
	return list
}
