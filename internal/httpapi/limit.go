package httpapi

import (
	"sync"

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

// answers are the bodies of refusals by limits. Each limit has one, whoever asks,
// and a flood is answered with nothing else.
var answers sync.Map // of []byte, by oauthError

func prepared(e oauthError) []byte {
	if body, ok := answers.Load(e); ok {
		return body.([]byte)
	}
	body, err := encode(e)
	if err == nil { // strings always can be encoded
		answers.Store(e, body)
	}
	return body
}
