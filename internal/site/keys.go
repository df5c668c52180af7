package site

import (
	"context"
	"time"
)

// keepEvery is how late a key can be published or retired: nothing beside the
// hours that lie between those.
const keepEvery = time.Minute

// keepKeys takes the signing keys on in their lives. Every cell does; each step is
// taken once.
func (s *Site) keepKeys(ctx context.Context) {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := s.oauth.KeepKeys(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("could not look after the signing keys", "err", err)
			}
		}
	}
}
