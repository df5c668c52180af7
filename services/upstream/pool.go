package upstream

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"causeway/internal/problem"
	"causeway/services"
)

// maxMembers bounds the upstreams of an instance, see members.
const maxMembers = 64

// members is a set of upstreams of one pool.
type members uint64

func (m members) has(i int) bool     { return m&(1<<i) != 0 }
func (m members) with(i int) members { return m | 1<<i }
func (m members) count() int         { return bits.OnesCount64(uint64(m)) }

// pool shares the requests of an instance among its upstreams.
type pool struct {
	name    string
	members []*member
	proxy   *Proxy
	checks  *checks // nil where nobody asks how they are

	failing sync.Mutex // or two would each leave the last place to the other

	// What it was made of.
	urls    []string
	check   services.HealthCheck
	timeout time.Duration
}

// defaultTimeout is the most that an upstream may take to the first byte of an
// answer; the rest may stream.
const defaultTimeout = 60 * time.Second

// newPool takes over upstreams of the pool before it, with what is known of them.
func (p *Proxy) newPool(in *services.ServiceInstance, before *pool) *pool {
	one := &pool{name: in.Name, proxy: p, urls: in.Upstreams, check: in.Health, timeout: in.Timeout}
	for _, text := range one.urls[:min(len(one.urls), maxMembers)] {
		u, err := url.Parse(text)
		if err != nil {
			continue // was checked when it was set
		}
		m := before.known(text, in.Timeout)
		if m == nil {
			m = newMember(text, u, p.transportTo(u, in.Timeout, true), p.now())
			if u.Scheme == "http" && !p.rules.PlainHTTP {
				m.sicken(notSecure, p.now())
			}
		}
		one.members = append(one.members, m)
	}
	if one.check.Path != "" {
		one.checks = newChecks(one)
	}
	return one
}

// configured is the pool of an instance that the configuration names.
func (p *Proxy) configured(in *Instance) *pool {
	m := newMember(in.Upstream.String(), in.Upstream, p.transportTo(in.Upstream, 0, false), p.now())
	return &pool{name: in.Name, proxy: p, members: []*member{m}}
}

func (p *pool) serves(in *services.ServiceInstance) bool {
	return p.name == in.Name && slices.Equal(p.urls, in.Upstreams) && p.check == in.Health && p.timeout == in.Timeout
}

func (p *pool) known(text string, timeout time.Duration) *member {
	if p == nil || p.timeout != timeout {
		return nil
	}
	for _, m := range p.members {
		if m.text == text {
			return m
		}
	}
	return nil
}

func (p *pool) start() {
	if p.checks != nil {
		p.checks.start()
	}
}

func (p *pool) stop() {
	if p != nil && p.checks != nil {
		p.checks.stop()
	}
}

// pick chooses the less busy of two upstreams that are well, drawn at random: the
// least busy of all would get whatever comes between two looks. Those in not are
// left out. probe says that the request tries for all whether the upstream is back.
func (p *pool) pick(now time.Time, not members) (i int, probe bool, err error) {
	if len(p.members) == 1 && not == 0 && p.members[0].proven() {
		return 0, false, nil
	}
	for {
		if i, err = p.draw(now, not); err != nil {
			return 0, false, err
		}
		ok, probe := p.members[i].claim()
		if ok {
			return i, probe, nil
		}
		not = not.with(i)
	}
}

func (p *pool) draw(now time.Time, not members) (int, error) {
	var eligible [maxMembers]uint8
	n := 0
	for i, m := range p.members {
		if !not.has(i) && m.well(now) {
			eligible[n] = uint8(i)
			n++
		}
	}
	switch n {
	case 0:
		return 0, p.unwell(now)
	case 1:
		return int(eligible[0]), nil
	}
	a := rand.IntN(n)
	b := rand.IntN(n - 1)
	if b >= a {
		b++
	}
	one, other := int(eligible[a]), int(eligible[b])
	if p.members[other].busy.Load() < p.members[one].busy.Load() {
		return other, nil
	}
	return one, nil
}

// fail counts a failure of m and reports whether it took m out.
func (p *pool) fail(m *member, why failure, now time.Time, probe bool) bool {
	p.failing.Lock()
	defer p.failing.Unlock()
	return m.fail(why, now, why.ofOne() && p.last(m), probe)
}

// last reports whether no other upstream than m is known to be well.
func (p *pool) last(m *member) bool {
	return !slices.ContainsFunc(p.members, func(other *member) bool { return other != m && other.proven() })
}

// forgive has upstreams back that were found sick by a check that nobody makes any
// more.
func (p *pool) forgive(before *pool) {
	if before == nil || before.check.Path == "" || before.check.Path == p.check.Path {
		return
	}
	for _, m := range p.members {
		if sick := m.sick.Load(); sick != nil && *sick == notWell {
			m.heal(p.proxy.now())
		}
	}
}

// unwell says what is wrong with all upstreams, and not where they are.
func (p *pool) unwell(now time.Time) error {
	var reasons []string
	count := map[string]int{}
	wait := maxEjection
	for _, m := range p.members {
		why, back := m.state(now)
		if count[why]++; count[why] == 1 {
			reasons = append(reasons, why)
		}
		wait = min(wait, back)
	}
	for i, why := range reasons {
		reasons[i] = fmt.Sprintf("%d of %d %s", count[why], len(p.members), why)
	}
	if len(reasons) == 0 {
		reasons = []string{"it has none"}
	}
	return problem.New(problem.Unavailable, "No upstream of the service %s is well: %s.", p.name, strings.Join(reasons, ", ")).
		After(max(wait, time.Second))
}

func (p *pool) health() []services.UpstreamHealth {
	now := p.proxy.now()
	list := make([]services.UpstreamHealth, len(p.members))
	for i, m := range p.members {
		h := services.UpstreamHealth{URL: m.text, Well: m.well(now), Since: time.Unix(0, m.since.Load()).UTC(), Outstanding: int(m.busy.Load())}
		if !h.Well {
			h.Why, _ = m.state(now)
		}
		if checked := m.checked.Load(); checked != 0 {
			h.Checked = time.Unix(0, checked).UTC()
		}
		list[i] = h
	}
	return list
}

// transportTo is what reaches one upstream.
func (p *Proxy) transportTo(to *url.URL, timeout time.Duration, ruled bool) http.RoundTripper {
	if p.reach != nil {
		return p.reach(to)
	}
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	return p.transports.of(timeout, ruled)
}
