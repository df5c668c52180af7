package relay

import (
	"encoding/hex"
	"strconv"
	"strings"

	"causeway/internal/trail"
)

// element is the name of our structured data. The number is the one that RFC 5612
// reserves for examples: Causeway has none of its own.
const element = "audit@32473"

// message is r in the form of RFC 5424.
func (s *Syslog) message(r trail.Record) string {
	e := r.Entry
	severity := 5 // notice
	if r.Alarming() {
		severity = 4 // warning
	}
	var b strings.Builder
	b.WriteString("<" + strconv.Itoa(s.Facility*8+severity) + ">1 ")
	b.WriteString(e.At.UTC().Format("2006-01-02T15:04:05.000000Z"))
	b.WriteString(" " + word(s.Host, 255) + " causeway - " + word(string(e.Action), 32) + " [" + element)
	for _, p := range []struct{ name, value string }{
		{"seq", strconv.FormatInt(r.Seq, 10)}, {"hash", hex.EncodeToString(r.Hash)}, {"organization", r.OrgName}, {"actor", e.Actor.Name}, {"actorId", e.Actor.ID},
		{"subject", e.Subject.Name}, {"subjectId", e.Subject.ID}, {"requestId", e.RequestID}, {"source", e.Source},
	} {
		if p.value != "" {
			b.WriteString(" " + p.name + "=\"" + param.Replace(strings.ToValidUTF8(p.value, "\uFFFD")) + "\"")
		}
	}
	b.WriteString("] \ufeff") // what follows is UTF-8
	b.WriteString(s.Format(r))
	return b.String()
}

// param escapes the value of a parameter (RFC 5424 section 6.3.3). Lines would end
// records of collectors that store them as lines.
var param = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`, "\n", " ", "\r", " ", "\x00", " ")

// word is s as a field of the header: printable ASCII without spaces, or - for none.
func word(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	if s == "" {
		return "-"
	}
	return s[:min(len(s), most)]
}
