package oauth

import (
	"context"

	"causeway/internal/problem"
	"causeway/ratelimit"
	"causeway/tenants"
)

// tried looks for a user code by do. A user code is short, so tries that miss are
// limited per person and per organization (VCD-17); a try that hits does not count.
func (s *Service) tried(ctx context.Context, by tenants.Caller, org *tenants.Snapshot, do func() error) error {
	try := s.countCode(by.Principal, org.ID)
	if err := try.Err(); err != nil {
		return err
	}
	err := do()
	if !problem.Has(err, problem.UnknownUserCode) {
		try.Return()
	}
	if tell, ok := ctx.Value(codeTries{}).(func(ratelimit.Standing)); ok {
		tell(try.Standing)
	}
	return err
}

type codeTries struct{}

// WithCodeTries makes a context whose tries of user codes tell how many the caller
// has left, unless the limit refuses them.
func WithCodeTries(ctx context.Context, tell func(ratelimit.Standing)) context.Context {
	return context.WithValue(ctx, codeTries{}, tell)
}
