package site

import (
	"slices"
	"strings"
	"sync"
	"time"

	"causeway/internal/config"
	"causeway/ratelimit"
)

// shares keeps the limiter and the quotas to the configuration and to the number of
// cells that live.
type shares struct {
	limits *ratelimit.Limiter
	quotas *ratelimit.Quotas

	mu     sync.Mutex
	config config.Limits
	live   int
}

// limiterConfig is a configuration for the limiter of one of live cells.
func limiterConfig(c config.Limits, live int) ratelimit.Config {
	cells := c.Cells
	if cells == 0 {
		cells = live
	}
	return ratelimit.Config{Limits: c.Budgets(), MaxKeys: c.MaxKeys, Cells: cells}
}

func newShares(c config.Limits, now func() time.Time) (*shares, error) {
	first := limiterConfig(c, 1)
	first.Now = now
	limits, err := ratelimit.New(first)
	if err != nil {
		return nil, err
	}
	quotas := ratelimit.NewQuotas(ratelimit.QuotaConfig{Cells: first.Cells, Now: now})
	return &shares{limits: limits, quotas: quotas, config: c, live: 1}, nil
}

// among divides what belongs to the whole site among the cells that live.
func (s *shares) among(live int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.set(s.config, live)
}

// reload takes over new limits, or nothing.
func (s *shares) reload(c config.Limits) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.set(c, s.live)
}

func (s *shares) set(c config.Limits, live int) error {
	next := limiterConfig(c, live)
	if err := s.limits.Update(next); err != nil {
		return err
	}
	s.quotas.SetCells(next.Cells)
	s.config, s.live = c, live
	return nil
}

// cellsChanged divides the site's budgets, and who speaks for it, among live cells.
func (s *Site) cellsChanged(live int) {
	s.shareLimits(live)
	if s.gossip != nil {
		s.gossip.poke()
	}
}

// shareLimits divides the site's budgets among live cells.
func (s *Site) shareLimits(live int) {
	if err := s.shares.among(live); err != nil { // more cells than any site has
		s.log.Warn("the site's limits are divided among fewer cells than live", "live", live, "err", err)
	}
}

// Reload takes over the limits of a new configuration, the keys of the pools and the
// certificate, and names the settings that differ from those at the start and wait for the next one;
// log.level is for whoever made the log. With an error nothing has changed.
func (s *Site) Reload(c *config.Config) (restart []string, err error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	keys, err := readPoolKeys(c)
	if err != nil {
		return nil, err
	}
	from, certificate, err := s.configured(c.Public)
	if err != nil {
		return nil, err
	}
	if err := s.shares.reload(c.Limits); err != nil {
		return nil, err
	}
	s.shown.set(from, certificate)
	if err := s.setKeys(keys); err != nil {
		return nil, err
	}
	for _, key := range config.Changed(s.config, c) {
		if !live(key) {
			restart = append(restart, key)
		}
	}
	return restart, nil
}

// live tells whether a setting counts without a restart.
func live(key string) bool {
	return strings.HasPrefix(key, "limits.") || slices.Contains([]string{"log.level", "gossip.key_file", "cells.key_file", "public.certificate", "public.key", "operations.drain_delay", "operations.drain_timeout"}, key)
}
