package httpapi

import (
	"errors"

	"github.com/gin-gonic/gin"

	"causeway/ratelimit"
)

// RateLimit tells callers how much of their own bucket is left, whether or not
// they get what they ask for (draft-ietf-httpapi-ratelimit-headers-10). One that
// is switched off says nothing.
func RateLimit(c *gin.Context, s ratelimit.Standing) {
	if s.Quota == 0 {
		return
	}
	c.Header("RateLimit-Policy", s.PolicyHeader())
	c.Header("RateLimit", s.LimitHeader())
}

// rateLimitOf is RateLimit for a refusal by a limit.
func rateLimitOf(c *gin.Context, err error) {
	var r ratelimit.Refusal
	if errors.As(err, &r) {
		RateLimit(c, r.Standing)
	}
}
