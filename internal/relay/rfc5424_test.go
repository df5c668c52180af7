package relay

import (
	"strings"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/trail"
)

// What somebody is called ends neither a parameter nor the structured data, and no
// header field is longer than RFC 5424 allows.
func FuzzMessage(f *testing.F) {
	f.Add(`a"]`, `\`, "user.updated")
	f.Add("x\n<0>1", "\xff\x00", "é é")
	f.Fuzz(func(t *testing.T, actor, subject, action string) {
		s := &Syslog{Facility: 13, Host: "west", Format: func(trail.Record) string { return "text" }}
		m := s.message(trail.Record{Seq: 1, Entry: journal.Entry{
			At: time.Unix(1, 0), Action: journal.Action(action), Actor: journal.Actor{Name: actor}, Subject: journal.Subject{Name: subject},
		}})
		head, rest, found := strings.Cut(m, " [audit@32473 seq=\"1\"")
		fields := strings.Split(head, " ")
		if !found || len(fields) != 6 || len(fields[5]) > 32 || fields[5] == "" || strings.ContainsAny(rest, "\n\r\x00") {
			t.Fatalf("%q", m)
		}
		got := map[string]string{}
		for rest[0] == ' ' {
			name, after, _ := strings.Cut(rest[1:], `="`)
			var value strings.Builder
			i := 0
			for ; after[i] != '"'; i++ {
				if after[i] == '\\' {
					i++
				}
				value.WriteByte(after[i])
			}
			got[name], rest = value.String(), after[i+1:]
		}
		plain := strings.NewReplacer("\n", " ", "\r", " ", "\x00", " ")
		for name, want := range map[string]string{"actor": actor, "subject": subject} {
			if want = plain.Replace(strings.ToValidUTF8(want, "\uFFFD")); got[name] != want {
				t.Fatalf("%s is %q, want %q", name, got[name], want)
			}
			delete(got, name)
		}
		if len(got) > 0 || rest != "] \ufefftext" {
			t.Fatalf("%q and %q follow", got, rest)
		}
	})
}
