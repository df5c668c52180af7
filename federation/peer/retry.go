package peer

import (
	"context"
	"errors"
	"net/http"

	"causeway/internal/hop"
	"causeway/internal/problem"
)

// lost is a connection that ended before the answer began.
type lost struct{ err error }

func (l *lost) Error() string { return l.err.Error() }
func (l *lost) Unwrap() error { return l.err }

// mayTryAgain allows one more try of what changes nothing and has no body, where
// a connection was lost before a byte of the answer came. What could not be
// connected was tried at every address already; what was late may be under way;
// and everything else may have been done.
func mayTryAgain(r *http.Request, err error) bool {
	if !onlyReads(r) {
		return false
	}
	var l *lost
	return errors.As(err, &l) && r.Context().Err() == nil
}

func onlyReads(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.ContentLength == 0 && !hop.AsksForWebSocket(r)
}

// isLost tells a lost connection from other failures of a transport.
func isLost(ctx context.Context, err error) bool {
	var dial *dialError
	return ctx.Err() == nil && !errors.As(err, &dial) && problem.Has(explain(ctx, err), problem.SiteUnreachable)
}
