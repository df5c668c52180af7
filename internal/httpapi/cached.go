package httpapi

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

// CachedJSON writes a document that is the same for everybody: it may be kept for
// maxAge, and who asks with what they kept is told when that is the document still
// (RFC 9110 §13.1.2).
func CachedJSON(c *gin.Context, maxAge time.Duration, v any) {
	body, err := encode(v)
	if err != nil {
		Fail(c, err)
		return
	}
	sum := sha256.Sum256(body)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
	c.Header("Cache-Control", "public, max-age="+strconv.Itoa(int(maxAge.Seconds())))
	c.Header("ETag", tag)
	if has(c.Request.Header.Values("If-None-Match"), tag) {
		c.Status(http.StatusNotModified)
		c.Writer.WriteHeaderNow()
		return
	}
	c.Data(http.StatusOK, mediaOf(c), body)
}

// has reports whether the lists in some headers hold tag, by the weak comparison
// (RFC 9110 §8.8.3.2). Our tags hold no comma, so what is no list of tags is none
// of them.
func has(lists []string, tag string) bool {
	for _, list := range lists {
		for one := range strings.SplitSeq(list, ",") {
			one = strings.TrimSpace(one)
			if one == "*" || strings.TrimPrefix(one, "W/") == tag {
				return true
			}
		}
	}
	return false
}
