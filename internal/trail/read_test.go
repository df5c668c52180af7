package trail

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/tenants"
)

// nowhere knows no organization any more.
type nowhere struct{}

func (nowhere) Organization(context.Context, tenants.OrgID) (*tenants.Snapshot, error) {
	return nil, problem.New(problem.NotFound, "none")
}

// What was read can be resumed for ever: nothing is left out and nothing comes twice.
func TestRead(t *testing.T) {
	s := &Service{Store: newJournal(10)}
	at := func(n int) time.Time { return begun.Add(time.Duration(n-1) * time.Second) }
	for _, tt := range []struct {
		name  string
		who   tenants.Principal
		org   tenants.OrgID
		f     Filter
		after int64
		want  string
		next  int64
		more  bool
	}{
		{"from the beginning", provider, tenants.SystemOrgID, Filter{}, 0, "[1 2 3]", 3, true},
		{"and on", provider, tenants.SystemOrgID, Filter{}, 3, "[4 5 6]", 6, true},
		{"to the end", provider, tenants.SystemOrgID, Filter{}, 8, "[9 10]", 10, false},
		{"at the end", provider, tenants.SystemOrgID, Filter{}, 10, "[]", 10, false},
		{"beyond it", provider, tenants.SystemOrgID, Filter{}, 99, "[]", 99, false},
		{"one organization's, for the provider", provider, tenants.SystemOrgID, Filter{Org: globex}, 4, "[6 8 10]", 10, true},
		{"a tenant's own alone", tenant, acme, Filter{}, 5, "[7 9]", 10, false},
		{"by a key", provider, tenants.SystemOrgID, Filter{RequestID: "r4"}, 0, "[4]", 10, false},
		{"by a name", provider, tenants.SystemOrgID, Filter{Subject: "subject 1"}, 0, "[1 10]", 10, false},
		{"since", provider, tenants.SystemOrgID, Filter{From: at(9)}, 0, "[9 10]", 10, false},
		{"until", provider, tenants.SystemOrgID, Filter{Until: at(3)}, 0, "[1 2]", 10, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			part, err := s.Read(t.Context(), tt.who, tt.org, tt.f, tt.after, 3)
			got := []int64{}
			for _, r := range part.Rows {
				got = append(got, r.Seq)
			}
			if err != nil || fmt.Sprint(got) != tt.want || part.Next != tt.next || part.More != tt.more {
				t.Errorf("%v, next %d, more %v, %v; want %s, %d, %v", got, part.Next, part.More, err, tt.want, tt.next, tt.more)
			}
		})
	}
	if _, err := s.Read(t.Context(), tenant, acme, Filter{Org: globex}, 0, 3); !problem.Has(err, problem.NotFound) {
		t.Errorf("another organization's trail: %v", err)
	}
}

// A long journal is read in bounded steps, also where nothing of it fits.
func TestRead_IsBounded(t *testing.T) {
	j := newJournal(25_000)
	s, next, parts := &Service{Store: j}, int64(0), 0
	for more := true; more; parts++ {
		j.reads = 0
		part, err := s.Read(t.Context(), provider, tenants.SystemOrgID, Filter{Actor: "nobody"}, next, 10)
		if err != nil || j.reads > looked/batch+1 || parts > 3 {
			t.Fatalf("part %d: %d reads, %v", parts, j.reads, err)
		}
		next, more = part.Next, part.More
	}
	if next != 25_000 {
		t.Errorf("it ended at %d", next)
	}
}

// chained is a journal whose rows are hashed.
func chained(t *testing.T, n int) *journalOf {
	j := newJournal(n)
	var prev []byte
	for i, r := range j.rows {
		r.Source = "192.0.2.1"
		if i == 0 {
			r.Actor.Org = string(tenants.SystemOrgID) // the provider's address is not a tenant's business
		}
		row, err := journal.Chain(r.Seq, prev, r.Entry)
		if err != nil {
			t.Fatal(err)
		}
		j.rows[i], prev = row, row.Hash
	}
	return j
}

func exported(t *testing.T, who tenants.Principal, org tenants.OrgID, f Filter) string {
	t.Helper()
	return exportedAs(t, JSONLines(), who, org, f)
}

func exportedAs(t *testing.T, as Format, who tenants.Principal, org tenants.OrgID, f Filter) string {
	t.Helper()
	s := &Service{Store: chained(t, 9), Orgs: nowhere{}, Site: "site"}
	var out bytes.Buffer
	if err := s.Export(t.Context(), who, org, f, as, &out, func() {}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// An export for collectors of events is one event for each row, and one that says
// whether these are all.
func TestExport_AsEvents(t *testing.T) {
	lines := slices.Collect(strings.Lines(exportedAs(t, CEF("v1"), provider, tenants.SystemOrgID, Filter{})))
	if len(lines) != 10 || !strings.HasPrefix(lines[0], "CEF:0|Causeway|Causeway|v1|") || !strings.Contains(lines[0], "externalId=1 ") {
		t.Errorf("%d lines, the first %s", len(lines), lines[0])
	}
	if last := lines[len(lines)-1]; !strings.HasPrefix(last, "CEF:0|Causeway|Causeway|v1|export.end|export.end|1|cnt=9 outcome=complete ") || !strings.Contains(last, "cs5=9:") {
		t.Errorf("the last line is %s", last)
	}
	if own := exportedAs(t, CEF("v1"), tenant, acme, Filter{}); strings.Contains(own, "cs5=") {
		t.Errorf("a tenant gets digests: %s", own)
	}
}

// undigested are the digests of a line.
var undigested = regexp.MustCompile(`"(prev|hash)":"[0-9a-f]*",`)

// twofold is a line with a forged entry before its own, which has another name there.
func twofold(line, name string) string {
	start := strings.Index(line, `"entry":`)
	own := line[start+len(`"entry":`) : len(line)-len("}\n")]
	return line[:start] + `"entry":` + strings.Replace(own, "Subject 2", "Subject 5", 1) + "," + name + own + "}\n"
}

// What was exported proves itself later; what was changed, taken away, added or moved
// since is found.
func TestVerifyFile_R7(t *testing.T) {
	whole := exported(t, provider, tenants.SystemOrgID, Filter{})
	lines := slices.Collect(strings.Lines(whole))
	if len(lines) != 10 || !strings.HasPrefix(lines[9], `{"end":{"rows":9,"next":9,"complete":true,"head":"9:`) {
		t.Fatalf("%d lines, the last %s", len(lines), lines[len(lines)-1])
	}
	noted, err := VerifyFile(strings.NewReader(whole), journal.Head{})
	if err != nil || !noted.Intact || noted.Rows != 9 || !noted.Ended || noted.Gaps != 0 || noted.Head.Seq != 9 {
		t.Fatalf("%+v, %v", noted, err)
	}
	join := func(l ...string) string { return strings.Join(l, "") }
	for _, tt := range []struct {
		name, text string
		fault      string // empty where there is none
		check      func(FileReport) bool
	}{
		{"the same with other spaces", strings.ReplaceAll(whole, `,"`, ` , "`), "", nil},
		{"cut off", join(lines[:5]...), "", func(r FileReport) bool { return !r.Ended && r.Rows == 5 }},
		{"two exports, one after the other", join(append(lines[:4:4], append([]string{`{"end":{"rows":4,"next":4,"complete":true}}` + "\n"}, lines[4:]...)...)...), "", func(r FileReport) bool { return r.Ended && r.Rows == 9 }},
		{"one line twice", join(append(lines[:4:4], lines[3:]...)...), "", func(r FileReport) bool { return r.Repeated == 1 && r.Rows == 9 }},
		{"one line taken away", join(append(lines[:4:4], lines[5:]...)...), "", func(r FileReport) bool { return r.Gaps == 1 && r.Missing == 1 }},
		{"a word changed", strings.Replace(whole, "Subject 4", "Subject 5", 1), "row 4 was changed", nil},
		{"a number changed", strings.Replace(whole, `{"seq":4`, `{"seq":44`, 1), "row 44 was changed", nil},
		{"two lines changed places", join(lines[0], lines[2], lines[1], join(lines[3:]...)), "row 2 stands after row 3", nil},
		{"a member added", strings.Replace(whole, `{"seq":4`, `{"note":1,"seq":4`, 1), "line 4 is not a line of an export", nil},
		{"a line that shows an entry and proves another", join(lines[0], twofold(lines[1], `"Entry":`), join(lines[2:]...)), "line 2 is not a line of an export", nil},
		{"a line with two entries", join(lines[0], twofold(lines[1], `"entry":`), join(lines[2:]...)), "line 2 is not a line of an export", nil},
		{"something behind a line", strings.Replace(whole, "}\n", "}}\n", 1), "line 1 is not a line of an export", nil},
		{"a changed line without its digests", join(lines[0], undigested.ReplaceAllString(strings.Replace(lines[1], "Subject 2", "Subject 5", 1), ""), join(lines[2:]...)), "1 lines have no digest, as others have", nil},
		{"text between", join(lines[0], "hello\n", join(lines[1:]...)), "line 2 is not a line", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found, err := VerifyFile(strings.NewReader(tt.text), journal.Head{})
			said := fmt.Sprint(found.Faults)
			if err != nil || found.Intact != (tt.fault == "") || !strings.Contains(said, tt.fault) || tt.check != nil && !tt.check(found) {
				t.Errorf("%+v, %v", found, err)
			}
		})
	}
	t.Run("written anew", func(t *testing.T) {
		other := journal.Head{Seq: 9, Hash: bytes.Repeat([]byte{1}, 32)}
		if found, err := VerifyFile(strings.NewReader(whole), other); err != nil || found.Intact {
			t.Errorf("%+v, %v", found, err)
		}
		if found, err := VerifyFile(strings.NewReader(join(lines[:5]...)), noted.Head); err != nil || found.Intact {
			t.Errorf("its end was cut off: %+v, %v", found, err)
		}
		if found, err := VerifyFile(strings.NewReader(whole), noted.Head); err != nil || !found.Intact {
			t.Errorf("%+v, %v", found, err)
		}
	})
}

// A tenant's lines hold neither where the provider's people work from nor a digest
// from which that could be guessed.
func TestExport_R6_OfATenant(t *testing.T) {
	text := exported(t, tenant, acme, Filter{})
	if strings.Contains(text, "hash") || strings.Contains(text, "prev") || strings.Contains(text, "head") || strings.Count(text, "192.0.2.1") != 4 || strings.Contains(text, string(globex)) {
		t.Errorf("it tells\n%s", text)
	}
	found, err := VerifyFile(strings.NewReader(text), journal.Head{})
	if err != nil || found.Rows != 5 || found.Unproved != 5 || found.Intact || len(found.Faults) > 0 {
		t.Errorf("%+v, %v", found, err)
	}
}

// No file makes it fall over, and none that is not an export passes for one.
func FuzzVerifyFile(f *testing.F) {
	f.Add(`{"seq":1,"hash":"00","entry":{}}`)
	f.Add(`{"end":{"rows":0,"next":0,"complete":true}}`)
	f.Add("{}\n[]\nnull\n")
	f.Fuzz(func(t *testing.T, text string) {
		found, err := VerifyFile(strings.NewReader(text), journal.Head{})
		if err == nil && found.Intact && found.Rows > found.Unproved {
			t.Errorf("proved by chance: %+v", found)
		}
	})
}

func TestCEF(t *testing.T) {
	r := Record{Seq: 7, Hash: []byte{0xab}, Site: "site", OrgName: "ac|me=", Entry: journal.Entry{
		At: begun, Org: "id", Action: journal.FamilyReplayed, Source: "192.0.2.1", RequestID: "r1",
		Actor:   journal.Actor{Kind: "user", ID: "u1", Name: "Jane=Doe"},
		Subject: journal.Subject{Kind: "serviceAccount", ID: "s1", Name: "a\nCEF:0|x"}, Detail: map[string]string{"k": "v"},
	}}
	want := `CEF:0|Causeway|Causeway|1.0|tokenFamily.replayed|tokenFamily.replayed|8|rt=1795348800000 externalId=7 act=tokenFamily.replayed outcome=success suid=u1 suser=Jane\=Doe spriv=user ` +
		`msg=tokenFamily.replayed "a\\nCEF:0|x" deviceExternalId=site src=192.0.2.1 cs1=ac|me\= cs1Label=organization cs2=r1 cs2Label=requestId cs3=serviceAccount cs3Label=subjectKind ` +
		`cs4=s1 cs4Label=subjectId cs5=ab cs5Label=hash cs6={"k":"v"} cs6Label=detail`
	if got := r.CEF("1.0"); got != want {
		t.Errorf("\n%s, want\n%s", got, want)
	}
	r.Entry.Source = "2001:db8::1"
	if got := r.CEF("1.0"); !strings.Contains(got, " c6a2=2001:db8::1 c6a2Label=Source IPv6 Address ") || strings.Contains(got, "src=") {
		t.Error(got)
	}
}
