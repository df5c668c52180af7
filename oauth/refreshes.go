package oauth

import (
	"sync"
	"time"

	"causeway/internal/problem"
	"causeway/tenants"
)

// refreshes counts refreshes. Whose token it is, only the statement that rotates it
// says, so a refresh is usually counted afterwards. Where somebody has reached a
// limit the whole organization's are counted before, until the limit lets the next
// one through: a refusal changes nothing. That it is the organization and not the
// token counts where an account refreshes at several cells in turn.
type refreshes struct {
	limit func(tenants.OrgID, ClientID) (time.Duration, error)
	now   func() time.Time

	mu      sync.Mutex
	reached map[tenants.OrgID]time.Time // until when
	all     time.Time                   // the same for everybody else
}

// mostReached bounds the organizations that are remembered.
const mostReached = 4096

// near says whether somebody of org may have reached a limit.
func (r *refreshes) near(org tenants.OrgID, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return now.Before(r.reached[org]) || now.Before(r.all)
}

// count counts a refresh that has changed nothing yet.
func (r *refreshes) count(org tenants.OrgID, id ClientID) error {
	next, err := r.limit(org, id)
	if p := problem.As(err); p != nil {
		next = max(p.RetryAfter, time.Second)
	}
	if next > 0 {
		r.note(org, r.now().Add(next+time.Microsecond))
	}
	return err
}

// add counts a refresh that is done. Of many at once some may pass a limit that
// they reach together; the next ones do not.
func (r *refreshes) add(org tenants.OrgID, id ClientID) { _ = r.count(org, id) }

func (r *refreshes) note(org tenants.OrgID, until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.reached) >= mostReached {
		for o, t := range r.reached {
			if !r.now().Before(t) {
				delete(r.reached, o)
			}
		}
	}
	switch _, known := r.reached[org]; {
	case known || len(r.reached) < mostReached:
		r.reached[org] = later(r.reached[org], until)
	default:
		r.all = later(r.all, until)
	}
}

func later(t, u time.Time) time.Time {
	if t.After(u) {
		return t
	}
	return u
}
