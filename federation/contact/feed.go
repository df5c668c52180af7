package contact

import (
	"context"
	"time"

	"causeway/federation"
	"causeway/internal/problem"
	"causeway/tenants"
)

// Revoked answers with what has ended here since a sequence, as far as it was in
// organizations that are associated with the asking site's. With nothing to tell
// it waits, at most for wait. A negative sequence asks where the feed is now.
func (s *Service) Revoked(ctx context.Context, from tenants.SiteID, since int64, wait time.Duration) (Ended, error) {
	if _, err := s.admit(ctx, from); err != nil {
		return Ended{}, err
	}
	leave, err := s.doors.enter(from)
	if err != nil {
		return Ended{}, err
	}
	defer leave()
	if since < 0 {
		return Ended{Seq: s.Journal.Applied(), Reset: true, List: []EndedItem{}}, nil
	}
	if since > s.Journal.Applied() {
		// Another cell has told more than this one knows yet.
		_ = s.Journal.WaitFor(ctx, since)
	}
	timeout := time.NewTimer(min(max(wait, 0), s.Wait))
	defer timeout.Stop()
	for over := false; ; {
		list, last, more, ok := s.ended.after(since)
		if !ok {
			return Ended{Seq: last, Reset: true, List: []EndedItem{}}, nil
		}
		e, err := s.sift(ctx, from, list, last)
		if err != nil || len(e.List) > 0 || over {
			return e, err
		}
		since = e.Seq
		select {
		case <-more:
		case <-timeout.C:
			over = true
		case <-s.leave:
			over = true
		case <-ctx.Done():
			return Ended{}, ctx.Err()
		}
		if err := s.stillAdmits(ctx, from); err != nil {
			return Ended{}, err
		}
	}
}

// sift leaves the revocations that a site may know of, and says up to where they
// are complete.
func (s *Service) sift(ctx context.Context, from tenants.SiteID, list []numbered[federation.Revocation], last int64) (Ended, error) {
	e := Ended{Seq: last, List: []EndedItem{}}
	for _, n := range list {
		if len(e.List) == maxEnded {
			e.Seq = n.seq - 1
			break
		}
		if n.what.Org != "" {
			shared, err := s.Peers.Shares(ctx, n.what.Org, from)
			if err != nil {
				return Ended{}, err
			}
			if !shared {
				continue
			}
		}
		e.List = append(e.List, EndedItem{Org: n.what.Org, Kind: n.what.Kind, ID: n.what.ID})
	}
	return e, nil
}

// stillAdmits asks again after a wait: silence must not look like good news from
// a cell that has lost its database, and the association may be gone.
func (s *Service) stillAdmits(ctx context.Context, from tenants.SiteID) error {
	if !s.Journal.Fresh() {
		return problem.New(problem.Unavailable, "The site cannot reach its database.").After(time.Second)
	}
	_, err := s.Peers.Association(ctx, from)
	if problem.Has(err, problem.NotFound) {
		return problem.New(problem.Forbidden, "The sites are not associated.").With(problem.FactReason, problem.ReasonNoAssoc)
	}
	return err
}
