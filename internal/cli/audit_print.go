package cli

import (
	"io"
	"strconv"

	"causeway/internal/journal"
	"causeway/internal/trail"
)

func writeTrail(out io.Writer, list []trail.Record) error {
	var rows [][]string
	for _, r := range list {
		org := r.OrgName
		if org == "" {
			org = r.Entry.Org
		}
		rows = append(rows, printable(strconv.FormatInt(r.Seq, 10), instant(r.Entry.At), org, actorName(r.Entry.Actor),
			string(r.Entry.Action), subjectName(r.Entry.Subject), r.Entry.Source, r.Entry.RequestID))
	}
	return table(out, []string{"SEQ", "AT", "ORGANIZATION", "ACTOR", "ACTION", "SUBJECT", "FROM", "REQUEST"}, rows)
}

func actorName(a journal.Actor) string {
	switch {
	case a.Name != "":
		return a.Name
	case a.ID != "":
		return a.ID
	}
	return a.Kind
}

func subjectName(s journal.Subject) string {
	if s.Name != "" {
		return s.Name
	}
	return s.ID
}
