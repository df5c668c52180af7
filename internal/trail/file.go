package trail

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"causeway/internal/journal"
)

// FileReport is what [VerifyFile] found of exported lines.
type FileReport struct {
	// Intact says that every line proved itself: without digests none does.
	Intact bool      `json:"intact"`
	Rows   int64     `json:"rows"`
	First  time.Time `json:"first,omitzero"`
	Last   time.Time `json:"last,omitzero"`
	// Head is the last row.
	Head journal.Head `json:"head"`
	// Gaps are places where rows lie between two lines, and Missing how many: a filter
	// left them out, or somebody took them away.
	Gaps    int   `json:"gaps"`
	Missing int64 `json:"missing"`
	// Repeated are lines that stand there twice, as they were: a receiver may be told
	// again.
	Repeated int64 `json:"repeated"`
	// Unproved are lines without digests, as a tenant gets them: all, or somebody has
	// taken them away.
	Unproved int64 `json:"unproved"`
	// Ended says that the last line is an export's end, and that it was complete.
	Ended  bool            `json:"ended"`
	Faults []journal.Fault `json:"faults"`
	More   int             `json:"moreFaults,omitempty"`
}

const (
	mostFaults = 100
	// longestLine bounds a line, in bytes: an entry is some hundreds.
	longestLine = 1 << 20
)

// VerifyFile reads an export and checks that each line is as the journal's row was,
// and follows the one before where their numbers do. expect is a row that must be
// there, none when its Seq is 0. An error is about reading.
//
// Lines of a filtered export prove themselves, and not that none is missing between
// them; of all of the journal, also that.
func VerifyFile(in io.Reader, expect journal.Head) (FileReport, error) {
	v := fileVerifier{report: FileReport{Faults: []journal.Fault{}}, expect: expect}
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), longestLine)
	n := 0
	for ; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) > 0 {
			v.line(n+1, lines.Bytes())
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return FileReport{}, fmt.Errorf("line %d is longer than %d bytes", n+1, longestLine)
	} else if err != nil {
		return FileReport{}, err
	}
	if expect.Seq > 0 && !v.met {
		v.fault(expect.Seq, "row %d was noted and is not there", expect.Seq)
	}
	v.report.Head = journal.Head{Seq: v.last.Seq, Hash: v.last.Hash}
	if v.report.Unproved > 0 && v.proved > 0 {
		v.fault(0, "%d lines have no digest, as others have", v.report.Unproved)
	}
	v.report.Intact = len(v.report.Faults) == 0 && v.report.Unproved == 0
	return v.report, nil
}

type fileVerifier struct {
	report FileReport
	proved int64 // lines
	expect journal.Head
	met    bool
	last   Record
}

func (v *fileVerifier) fault(seq int64, format string, args ...any) {
	if len(v.report.Faults) == mostFaults {
		v.report.More++
		return
	}
	v.report.Faults = append(v.report.Faults, journal.Fault{Seq: seq, What: fmt.Sprintf(format, args...)})
}

func (v *fileVerifier) line(n int, text []byte) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil || (l.End == nil) == (l.Seq < 1) || !says(text, l) {
		v.report.Ended = false
		v.fault(0, "line %d is not a line of an export", n)
		return
	}
	if l.End != nil {
		v.report.Ended = l.End.Complete
		return
	}
	v.report.Ended = false
	v.record(l.Record)
}

func (v *fileVerifier) record(r Record) {
	if len(r.Hash) == 0 {
		v.report.Unproved++
	} else if v.proved++; r.check() != "" {
		v.fault(r.Seq, "%s", r.check())
	}
	last := v.last
	switch {
	case last.Seq == 0:
		v.report.First = r.Entry.At
	case r.Seq == last.Seq && bytes.Equal(r.Hash, last.Hash):
		v.report.Repeated++
		return
	case r.Seq <= last.Seq:
		v.fault(r.Seq, "row %d stands after row %d", r.Seq, last.Seq)
		return
	case r.Seq > last.Seq+1:
		v.report.Gaps, v.report.Missing = v.report.Gaps+1, v.report.Missing+r.Seq-last.Seq-1
	case len(r.Hash) > 0 && len(last.Hash) > 0 && !bytes.Equal(r.Prev, last.Hash):
		v.fault(r.Seq, "row %d does not follow row %d", r.Seq, last.Seq)
	}
	if r.Seq == v.expect.Seq {
		if v.met = true; !bytes.Equal(r.Hash, v.expect.Hash) {
			v.fault(r.Seq, "row %d is not the one that was noted", r.Seq)
		}
	}
	v.report.Rows++
	v.report.Last, v.last = r.Entry.At, r
}
