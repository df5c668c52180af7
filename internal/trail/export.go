package trail

import (
	"context"
	"io"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/tenants"
)

// Bounds of an export in one answer: rows, and parts, each of which looks at some
// thousands.
const (
	mostExported = 100_000
	mostParts    = 500
	partOf       = 1000
)

// Recorder makes records of rows for a reader, and asks for the name of an
// organization once.
type Recorder struct {
	service *Service
	reader  tenants.Principal
	names   map[tenants.OrgID]string
}

// Recorder is for one answer.
func (s *Service) Recorder(reader tenants.Principal) Recorder {
	return Recorder{s, reader, map[tenants.OrgID]string{}}
}

// Record is row as its reader may know it.
func (m Recorder) Record(ctx context.Context, row journal.Row) (r Record, err error) {
	r = NewRecord(row, m.reader)
	r.Site = m.service.Site
	r.OrgName, err = m.name(ctx, tenants.OrgID(row.Org))
	return r, err
}

// name is empty where there is no such organization, or not any more.
func (m Recorder) name(ctx context.Context, id tenants.OrgID) (string, error) {
	name, known := m.names[id]
	if known || id == "" {
		return name, nil
	}
	org, err := m.service.Orgs.Organization(ctx, id)
	switch {
	case err == nil:
		name = org.Name
	case !problem.Has(err, problem.NotFound):
		return "", err
	}
	m.names[id] = name
	return name, nil
}

// Format is how an export writes its lines, without their ends.
type Format struct {
	Row func(Record) ([]byte, error)
	End func(End) ([]byte, error)
}

// JSONLines are what [VerifyFile] reads.
func JSONLines() Format { return Format{Record.MarshalLine, End.MarshalLine} }

// CEF is for collectors of security events; version is the gateway's. Its last line
// is an event, too, of the class "export.end".
func CEF(version string) Format {
	return Format{
		Row: func(r Record) ([]byte, error) { return []byte(r.CEF(version)), nil },
		End: func(e End) ([]byte, error) { return []byte(e.CEF(version)), nil },
	}
}

// Export writes what the filter finds as lines, the oldest first, and an [End]. next is
// called before each part.
func (s *Service) Export(ctx context.Context, who tenants.Principal, org tenants.OrgID, f Filter, as Format, out io.Writer, next func()) error {
	by, end := s.Recorder(who), End{}
	for parts := 0; !end.Complete && parts < mostParts && end.Rows < mostExported; parts++ {
		part, err := s.Read(ctx, who, org, f, end.Next, partOf)
		if err != nil {
			return err
		}
		next()
		for _, row := range part.Rows {
			r, err := by.Record(ctx, row)
			if err != nil {
				return err
			}
			if err := writeLine(out, as.Row, r); err != nil {
				return err
			}
		}
		end.Rows, end.Next, end.Complete = end.Rows+int64(len(part.Rows)), part.Next, !part.More
		if end.Complete && who.Provider() && part.Head.Seq > 0 {
			end.Head = &part.Head
		}
	}
	return writeLine(out, as.End, end)
}

func writeLine[L any](out io.Writer, as func(L) ([]byte, error), l L) error {
	text, err := as(l)
	if err != nil {
		return err
	}
	_, err = out.Write(append(text, '\n'))
	return err
}
