package gateway

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	"causeway/tenants"
)

// A peer has a whole answer before the line about it is written, and nothing is
// sent early that may still grow or break off.
func TestSendNow_R9(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	for _, tt := range []struct {
		name   string
		peer   bool
		length string
		body   string
		want   bool
	}{
		{"whole, to a peer", true, "4", "body", true},
		{"of a length nobody said", true, "", "body", false},
		{"nothing yet", true, "4", "", false},
		{"to a client", false, "4", "body", false},
	} {
		w := httptest.NewRecorder()
		c, _ := gin.CreateTestContext(w)
		c.Request = httptest.NewRequest(http.MethodGet, "/", nil)
		if tt.peer {
			c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), peerKey{}, tenants.SiteID("east")))
		}
		if tt.length != "" {
			c.Header("Content-Length", tt.length)
		}
		if tt.body != "" {
			_, _ = c.Writer.WriteString(tt.body)
		}
		if sendNow(c); w.Flushed != tt.want {
			t.Errorf("%s: sent %v, want %v", tt.name, w.Flushed, tt.want)
		}
	}
}
