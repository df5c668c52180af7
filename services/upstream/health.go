package upstream

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"causeway/internal/hop"
	"causeway/services"
)

// Defaults of health checks.
const (
	checkInterval  = 10 * time.Second
	checkTimeout   = 3 * time.Second
	checkHealthy   = 2
	checkUnhealthy = 3
)

const (
	// checksAtOnce bounds how many upstreams a cell asks at a time, and checksOfOne how
	// many of one instance: theirs may all be silent.
	checksAtOnce = 32
	checksOfOne  = 8
)

// checks asks the upstreams of a pool how they are. Between two checks there is only
// a timer.
type checks struct {
	pool     *pool
	path     string
	interval time.Duration
	timeout  time.Duration
	healthy  int
	sick     int
	slots    chan struct{}

	mu      sync.Mutex
	stopped bool
	timers  []*time.Timer
	good    []int // answers in a row, by upstream
	bad     []int
}

func newChecks(p *pool) *checks {
	c := &checks{
		pool: p, path: p.check.Path, interval: or(p.check.Interval, checkInterval), slots: make(chan struct{}, checksOfOne),
		healthy: or(p.check.Healthy, checkHealthy), sick: or(p.check.Unhealthy, checkUnhealthy),
		good: make([]int, len(p.members)), bad: make([]int, len(p.members)),
	}
	c.timeout = min(or(p.check.Timeout, checkTimeout), c.interval, services.MostCheckTimeout)
	return c
}

func or[T int | time.Duration](v, otherwise T) T {
	if v > 0 {
		return v
	}
	return otherwise
}

// start asks all at once, a little apart.
func (c *checks) start() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timers != nil || c.stopped {
		return
	}
	for i := range c.pool.members {
		c.timers = append(c.timers, time.AfterFunc(time.Duration(i)*c.interval/time.Duration(10*len(c.pool.members)), func() { c.run(i) }))
	}
}

func (c *checks) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	for _, t := range c.timers {
		t.Stop()
	}
}

func (c *checks) over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stopped
}

// run is one check. Whoever closes the proxy waits for those under way.
func (c *checks) run(i int) {
	m := c.pool.members[i]
	if sick := m.sick.Load(); sick != nil && *sick == notSecure {
		return // and stays so
	}
	p := c.pool.proxy
	if !p.beginCheck(c.slots) {
		return
	}
	defer p.endCheck(c.slots)
	if c.over() { // while it waited
		return
	}
	err := c.ask(m)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return
	}
	c.judge(i, err == nil)
	c.timers[i].Reset(c.interval)
}

func (c *checks) judge(i int, well bool) {
	m, now := c.pool.members[i], c.pool.proxy.now()
	m.checked.Store(now.UnixNano())
	if !well {
		c.pool.proxy.counts.unhealthy.Add(1)
		if c.good[i], c.bad[i] = 0, c.bad[i]+1; c.bad[i] >= c.sick {
			m.sicken(notWell, now)
		}
		return
	}
	if c.good[i], c.bad[i] = c.good[i]+1, 0; c.good[i] >= c.healthy {
		m.heal(now)
	}
}

type badAnswer int

func (b badAnswer) Error() string { return http.StatusText(int(b)) }

func (c *checks) ask(m *member) error {
	ctx, cancel := context.WithTimeout(c.pool.proxy.life, c.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(hop.Quiet(ctx), http.MethodGet, m.scheme+"://"+m.host+m.base+c.path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("User-Agent", "causeway-health-check")
	res, err := m.over.RoundTrip(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10) // the connection is for the next
	if res.StatusCode < 200 || res.StatusCode > 399 {
		return badAnswer(res.StatusCode)
	}
	return nil
}
