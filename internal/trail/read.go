package trail

import (
	"context"

	"causeway/internal/journal"
	"causeway/tenants"
)

// Part is a part of the trail in the order in which it was written.
type Part struct {
	Rows []journal.Row
	// Next is the sequence up to which everything was looked at: it goes on after it.
	Next int64
	// More says that it stopped before the end, which was Head.
	More bool
	Head journal.Head
}

// Read finds up to most rows after a sequence, the oldest first. Unlike [Service.Search]
// it can be resumed for ever: what is written later comes after what was written before.
func (s *Service) Read(ctx context.Context, who tenants.Principal, org tenants.OrgID, f Filter, after int64, most int) (Part, error) {
	read, err := s.reading(who, org, f)
	if err != nil {
		return Part{}, err
	}
	part, below, err := s.bounds(ctx, f, after)
	if err != nil {
		return Part{}, err
	}
	for seen := 0; seen < looked; {
		rows, err := read(ctx, Range{Above: part.Next, Below: below}, batch)
		if err != nil {
			return Part{}, err
		}
		for _, row := range rows {
			part.Next = row.Seq
			if !f.matches(row) {
				continue
			}
			if part.Rows = append(part.Rows, row); len(part.Rows) == most {
				part.More = true
				return part, nil
			}
		}
		if len(rows) < batch {
			part.Next = max(part.Next, below-1)
			return part, nil
		}
		seen += len(rows)
	}
	part.More = true
	return part, nil
}

// bounds are where to read on after a sequence, and where to stop. What is written
// while it reads is for the next part.
func (s *Service) bounds(ctx context.Context, f Filter, after int64) (part Part, below int64, err error) {
	last, err := s.last(ctx)
	if err != nil {
		return part, 0, err
	}
	part.Next, part.Head, below = max(after, 0), journal.Head{Seq: last.Seq, Hash: last.Hash}, last.Seq+1
	if !f.From.IsZero() {
		first, err := s.since(ctx, f.From.Add(-skew), last.Seq)
		if err != nil {
			return part, 0, err
		}
		part.Next = max(part.Next, first-1)
	}
	if !f.Until.IsZero() {
		over, err := s.since(ctx, f.Until.Add(skew), last.Seq)
		if err != nil {
			return part, 0, err
		}
		below = min(below, over)
	}
	return part, below, nil
}
