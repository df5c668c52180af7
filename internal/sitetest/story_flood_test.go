package sitetest

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// flood sends device requests without a pause while an administrator and the app
// go on with their work, from the same address.
func (c *crossing) flood(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var senders sync.WaitGroup
	defer senders.Wait()
	defer cancel()
	var sent, refused atomic.Int64
	flooded := make(chan struct{})
	for i := range 8 {
		client := c.client
		if i%2 == 1 {
			client = sampleSoftware // nobody's: the refusal must not tell
		}
		senders.Go(func() {
			for ctx.Err() == nil {
				a, err := c.TryForm("west", "acme", "device_authorization", "client_id", client)
				if err != nil {
					t.Error(err)
					return
				}
				sent.Add(1)
				switch a.Status {
				case http.StatusOK, http.StatusBadRequest: // the burst that is allowed
				case http.StatusTooManyRequests:
					if seconds, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || seconds < 1 {
						t.Errorf("429 with Retry-After %q", a.Header.Get("Retry-After"))
					}
					if refused.Add(1) == 100 {
						close(flooded)
					}
				default:
					t.Errorf("status %d\n%s", a.Status, a.Body)
					return
				}
			}
		})
	}
	select {
	case <-flooded:
	case <-time.After(time.Minute):
		t.Fatalf("%d requests, %d of them refused", sent.Load(), refused.Load())
	}

	before := refused.Load()
	start := time.Now()
	admin := c.Login(t, "west", "acme")
	got := c.Refresh(t, "west", "acme", c.latest).Want(t, http.StatusOK)
	c.access, c.latest = got.String(t, "access_token"), got.String(t, "refresh_token")
	c.wantSample(t, c.access, "west", "acme")
	c.wantSample(t, c.access, "east", "acme-labs", authContext, "acme-labs")
	if _, account := c.Account(t, "west", admin, c.File.Account.Name); account["status"] != "ACTIVE" {
		t.Errorf("the account is %v", account["status"])
	}
	took := time.Since(start)
	Eventually(t, time.Minute, "the flood goes on", func() bool { return refused.Load() > before })
	cancel()
	senders.Wait()
	t.Logf("%d device requests, %d refused; login, refresh and three calls beside them took %s",
		sent.Load(), refused.Load(), took.Round(time.Millisecond))
	if took > 20*time.Second {
		t.Errorf("beside the flood, login, refresh and three calls took %s", took)
	}
}
