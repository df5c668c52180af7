package gateway

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/internal/problem"
)

// exchange runs something that takes until it is ended, and says after how long
// and by what that was.
func exchange(t *testing.T, body io.Reader, still func(int) error) (time.Duration, error) {
	t.Helper()
	g := &Gateway{}
	g.life, g.shut = context.WithCancel(t.Context())
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	c.Request = httptest.NewRequest(http.MethodPost, "/", body).WithContext(t.Context())
	looks, start := 0, time.Now()
	err := g.watched(c, func(context.Context) error { looks++; return still(looks) }, func() error {
		if body != nil {
			go func() { _, _ = io.Copy(io.Discard, c.Request.Body) }()
		}
		select {
		case <-c.Request.Context().Done():
			return c.Request.Context().Err()
		case <-time.After(time.Hour):
			return nil
		}
	})
	return time.Since(start), err
}

// What takes long ends when whoever asked for it may no longer, within a second; a
// site that cannot tell is forgiven for half a minute.
func TestWatched_R4_StreamsEndWithTheSession(t *testing.T) {
	away := problem.New(problem.Unavailable, "away")
	for name, tt := range map[string]struct {
		still func(look int) error
		after time.Duration
		code  problem.Code
	}{
		"nothing happens": {func(int) error { return nil }, time.Hour, ""},
		"the session ends": {func(look int) error {
			if look < 3 {
				return nil
			}
			return problem.New(problem.Unauthenticated, "over")
		}, 3 * recheck, problem.Unauthenticated},
		"the right is withdrawn":            {func(int) error { return problem.New(problem.Forbidden, "no") }, recheck, problem.Forbidden},
		"the database is away":              {func(int) error { return away }, recheck + doubt, problem.Unavailable},
		"the database is away now and then": {func(look int) error { return []error{nil, away}[look/20%2] }, time.Hour, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				took, err := exchange(t, nil, tt.still)
				if took != tt.after || tt.code == "" && err != nil || tt.code != "" && !problem.Has(err, tt.code) {
					t.Errorf("ended after %s by %v, want %s and %q", took, err, tt.after, tt.code)
				}
			})
		})
	}
}

// slow sends a byte now and then, and stops after some.
type slow struct {
	every time.Duration
	left  int
	ctx   context.Context
}

func (s *slow) Read(p []byte) (int, error) {
	if s.left--; s.left < 0 {
		<-s.ctx.Done()
		return 0, s.ctx.Err()
	}
	time.Sleep(s.every)
	p[0] = 'x'
	return 1, nil
}

// A client that stops in the middle of its body does not hold what is behind it
// for ever; one that is only slow does no harm.
func TestWatched_R9_AnUploadThatStopsIsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		took, err := exchange(t, &slow{every: 100 * time.Second, left: 5, ctx: ctx}, func(int) error { return nil })
		if quiet := took - 500*time.Second; quiet < stalled || quiet > stalled+recheck || !problem.Has(err, problem.BadRequest) {
			t.Errorf("ended %s after the last byte by %v", quiet, err)
		}
	})
}

// A site that stops ends WebSockets, for which its servers do not wait.
func TestWatched_R14_ClosedWithTheGateway(t *testing.T) {
	g := &Gateway{}
	g.life, g.shut = context.WithCancel(context.Background())
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	c.Request = httptest.NewRequest(http.MethodGet, "/", nil)
	c.Request.Header.Set("Upgrade", "websocket")
	err := g.watched(c, func(context.Context) error { return nil }, func() error {
		g.Close()
		<-c.Request.Context().Done()
		return c.Request.Context().Err()
	})
	if err == nil {
		t.Error("it ended by itself")
	}
}
