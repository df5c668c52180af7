package httpapi

import (
	"sync"

	"github.com/gin-gonic/gin"

	"causeway/internal/problem"
	"causeway/ratelimit"
)

// RateLimit tells callers how much of their own bucket is left, whether or not
// they get what they ask for (draft-ietf-httpapi-ratelimit-headers-10). One that
// is switched off says nothing.
func RateLimit(c *gin.Context, s ratelimit.Standing) {
	if s.Quota == 0 {
		return
	}
	c.Header("Ratelimit-Policy", s.PolicyHeader())
	c.Header("Ratelimit", s.LimitHeader())
}

// failLimited answers an OAuth request that a limit refused. It is what a flood
// gets, so the body is prepared and the headers are set together, in net/http's
// spelling.
func failLimited(c *gin.Context, p *problem.Problem, s ratelimit.Standing) {
	values := [...]string{"no-store", "application/json", retryAfter(p.RetryAfter), s.PolicyHeader(), s.LimitHeader()}
	h := c.Writer.Header()
	for i, name := range [...]string{"Cache-Control", "Content-Type", "Retry-After", "Ratelimit-Policy", "Ratelimit"} {
		if values[i] != "" {
			h[name] = values[i : i+1 : i+1]
		}
	}
	write(c, p.Code.Row().Status, limitBodies.of(p))
}

// limitBodies are those answers by their detail, of which each limit has one,
// whoever asks.
var limitBodies prepared

type prepared struct {
	mu     sync.RWMutex
	bodies map[string][]byte
}

func (a *prepared) of(p *problem.Problem) []byte {
	a.mu.RLock()
	body := a.bodies[p.Detail]
	a.mu.RUnlock()
	if body != nil {
		return body
	}
	body, _ = encode(newOAuthError(p)) // strings can always be encoded
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.bodies == nil {
		a.bodies = map[string][]byte{}
	}
	a.bodies[p.Detail] = body
	return body
}
