package oauth_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"causeway/internal/problem"
	"causeway/oauth"
)

// life is the reference model: what the accounts of one organization are, told
// without a database, a digest or a transaction. Everything here happens at one
// moment and in an order; [explain] asks whether any order gives the answers that
// the real thing gave.
type life struct {
	enabled  bool
	accounts []accountLife
}

type accountLife struct {
	deleted  bool
	requests []requestLife
	families []familyLife
	sessions []time.Time // when they expire
	replays  int         // alarms in the journal
	outlived int
}

type requestLife struct {
	code     string // device code; "" when the answer was lost
	user     string
	state    oauth.DeviceState
	asked    time.Time
	interval time.Duration
	polled   time.Time
	source   string
}

type familyLife struct {
	revoked time.Time // zero while live
	granted time.Time
	tokens  []string // by generation; "" when nobody has seen it
	used    []usedLife
}

// usedLife is what is known of a token that was shown.
type usedLife struct {
	at      time.Time
	source  string
	retries int
}

func (s *life) clone() *life {
	c := &life{enabled: s.enabled, accounts: slices.Clone(s.accounts)}
	for i := range c.accounts {
		a := &c.accounts[i]
		a.requests, a.sessions, a.families = slices.Clone(a.requests), slices.Clone(a.sessions), slices.Clone(a.families)
		for j := range a.families {
			f := &a.families[j]
			f.tokens, f.used = slices.Clone(f.tokens), slices.Clone(f.used)
		}
	}
	return c
}

// key tells lives apart; in which order requests came to be does not matter.
func (s *life) key() string {
	var b strings.Builder
	for _, a := range s.accounts {
		var lines []string
		for _, r := range a.requests {
			lines = append(lines, r.code+string(r.state)+r.source+strconv.FormatInt(micros(r.asked)+micros(r.polled)+int64(r.interval), 36))
		}
		slices.Sort(lines)
		fmt.Fprint(&b, s.enabled, a.deleted, a.replays, a.outlived, len(a.sessions), lines)
		for _, f := range a.families {
			fmt.Fprint(&b, micros(f.revoked), f.tokens)
			if n := len(f.used); n > 0 {
				fmt.Fprint(&b, f.used[n-1].source, f.used[n-1].retries)
			}
		}
	}
	return b.String()
}

// knows says whether a token is one of those that were handed out.
func (s *life) knows(token string) bool {
	_, _, _, found := s.find(token)
	return found
}

func (s *life) find(token string) (account, family, generation int, found bool) {
	for i, a := range s.accounts {
		for j, f := range a.families {
			if g := slices.Index(f.tokens, token); g >= 0 && token != "" {
				return i, j, g, true
			}
		}
	}
	return 0, 0, 0, false
}

// open are the requests that can still be answered or fetched.
func (a *accountLife) open(p oauth.Policy, now time.Time) (at []int) {
	for i, r := range a.requests {
		if (r.state == oauth.DevicePending || r.state == oauth.DeviceGranted) && now.Before(r.asked.Add(p.DeviceLifetime)) {
			at = append(at, i)
		}
	}
	return at
}

// end revokes all tokens and ends all sessions.
func (a *accountLife) end(now time.Time) {
	for i := range a.families {
		if f := &a.families[i]; f.revoked.IsZero() {
			f.revoked = now
		}
	}
	a.sessions = nil
}

// status is derived as the API documents it.
func (a *accountLife) status(p oauth.Policy, now time.Time) oauth.Status {
	status := oauth.Created
	for _, i := range a.open(p, now) {
		if a.requests[i].state == oauth.DeviceGranted {
			status = oauth.Granted
		} else if status == oauth.Created {
			status = oauth.Requested
		}
	}
	for _, f := range a.families {
		if f.revoked.IsZero() {
			return oauth.Active
		}
	}
	return status
}

// outcome is what a call may answer, and what is then.
type outcome struct {
	after  *life
	code   problem.Code // empty: success
	token  *string      // in after: the refresh token that the answer must hold
	asked  *requestLife // in after: the request whose codes the answer must hold
	others int          // of a look-up: how many more wait
}

// refused answers with one of some problems and changes nothing.
func (s *life) refused(codes ...problem.Code) (all []outcome) {
	for _, code := range codes {
		all = append(all, outcome{after: s, code: code})
	}
	return all
}

// apply says what a call may answer when it happens now.
func (s *life) apply(p oauth.Policy, now time.Time, c *call) []outcome {
	switch c.kind {
	case refresh:
		return s.refresh(p, now, c)
	case ask:
		return s.ask(p, now, c)
	case poll:
		return s.poll(p, now, c)
	case grant, deny, lookUp:
		return s.decide(p, now, c)
	case revoke, remove:
		return s.end(p, now, c)
	}
	next := s.clone()
	next.enabled = c.kind == enable
	for i := range next.accounts {
		next.accounts[i].sessions = nil
	}
	return []outcome{{after: next}}
}

func (s *life) refresh(p oauth.Policy, now time.Time, c *call) []outcome {
	i, j, g, found := s.find(c.token)
	if !found || c.foreign || c.client != "" && c.client != c.ids[i] || !c.orgEnabled {
		return s.refused(problem.InvalidGrant)
	}
	if f := s.accounts[i].families[j]; !f.revoked.IsZero() {
		return s.revoked(p, now, &f, g, c)
	}
	next := s.clone()
	a := &next.accounts[i]
	f := &a.families[j]
	current := len(f.tokens) - 1
	end := f.granted.Add(p.MaxAge)
	if p.MaxAge > 0 && !now.Before(end) {
		a.end(now)
		a.outlived++
		return next.refused(problem.InvalidGrant)
	}
	if g < current && !mayRetry(p, now, f, g, c.source) {
		a.end(now)
		a.replays++
		return next.refused(problem.Replayed)
	}
	if !s.enabled { // disabled since the caller looked
		return s.refused(problem.InvalidGrant, problem.Unavailable)
	}
	if g == current {
		f.tokens, f.used = append(f.tokens, ""), append(f.used, usedLife{at: now, source: c.source})
	} else if u := &f.used[g]; !isFree(p, now, *u, c.source) {
		u.retries++
	}
	expires := now.Add(p.AccountLifetime)
	if p.MaxAge > 0 && end.Before(expires) {
		expires = end
	}
	a.sessions = append(a.sessions, expires)
	return []outcome{{after: next, token: &f.tokens[g+1]}}
}

// revoked answers for a token of a revoked family. Many replays at once are one
// alarm: who comes second may hear of it as if it were the first.
func (s *life) revoked(p oauth.Policy, now time.Time, f *familyLife, g int, c *call) []outcome {
	if f.revoked.Equal(now) && g < len(f.tokens)-1 && !mayRetry(p, now, f, g, c.source) {
		return s.refused(problem.InvalidGrant, problem.Replayed)
	}
	return s.refused(problem.InvalidGrant)
}

// mayRetry is the rule of the windows.
func mayRetry(p oauth.Policy, now time.Time, f *familyLife, g int, source string) bool {
	u := f.used[g]
	return g == len(f.used)-1 && now.Sub(u.at) < p.RetryWindow && (isFree(p, now, u, source) || source == u.source && u.retries < p.MaxRetries)
}

// isFree is of showings that do not count: whoever used the token has a minute for
// them, and strangers what the policy gives them.
func isFree(p oauth.Policy, now time.Time, u usedLife, source string) bool {
	age := now.Sub(u.at)
	return age < p.RetryWindow && (age < p.GraceWindow || source == u.source && age < time.Minute)
}

// ask has as many outcomes as there are requests of one age that could give way.
func (s *life) ask(p oauth.Policy, now time.Time, c *call) (all []outcome) {
	if c.foreign || !s.enabled || s.accounts[c.account].deleted {
		return s.refused(problem.InvalidClient)
	}
	victims, full := s.accounts[c.account].victims(p, now, c.source)
	if full {
		return s.refused(problem.TooManyRequests)
	}
	for _, victim := range victims {
		next := s.clone()
		a := &next.accounts[c.account]
		if victim >= 0 {
			a.requests[victim].state = oauth.DeviceDead
		}
		a.requests = append(a.requests, requestLife{state: oauth.DevicePending, asked: now, interval: p.DeviceInterval, source: c.source})
		all = append(all, outcome{after: next, asked: &a.requests[len(a.requests)-1]})
	}
	return all
}

// victims are the requests that may give way to a new one from source: -1 is none.
func (a *accountLife) victims(p oauth.Policy, now time.Time, source string) (at []int, full bool) {
	open := a.open(p, now)
	count, oldest := map[string]int{}, map[string]time.Time{}
	for _, i := range open {
		r := a.requests[i]
		count[r.source]++
		if t, ok := oldest[r.source]; r.state == oauth.DevicePending && (!ok || r.asked.Before(t)) {
			oldest[r.source] = r.asked
		}
	}
	of := func(sources ...string) (at []int) {
		for _, i := range open {
			r := a.requests[i]
			if r.state == oauth.DevicePending && slices.Contains(sources, r.source) && r.asked.Equal(oldest[r.source]) {
				at = append(at, i)
			}
		}
		return at
	}
	if _, ok := oldest[source]; ok && count[source] >= p.DevicesPerPeer {
		return of(source), false
	}
	if len(open) < p.DevicesPerOwner {
		return []int{-1}, false
	}
	most := 0
	for source := range oldest {
		most = max(most, count[source])
	}
	var busiest []string
	for source := range oldest {
		if count[source] == most {
			busiest = append(busiest, source)
		}
	}
	at = of(busiest...)
	return a.eldest(at, open, busiest), len(at) == 0
}

// eldest keeps of the candidates those whose source has asked first, whatever of
// it: that is how equals are told apart.
func (a *accountLife) eldest(candidates, open []int, busiest []string) (at []int) {
	first := map[string]time.Time{}
	var earliest time.Time
	for _, i := range open {
		r := a.requests[i]
		if !slices.Contains(busiest, r.source) {
			continue
		}
		if t, ok := first[r.source]; !ok || r.asked.Before(t) {
			first[r.source] = r.asked
		}
		if earliest.IsZero() || r.asked.Before(earliest) {
			earliest = r.asked
		}
	}
	for _, i := range candidates {
		if first[a.requests[i].source].Equal(earliest) {
			at = append(at, i)
		}
	}
	return at
}

func (s *life) request(match func(requestLife) bool) (account, request int, found bool) {
	for i, a := range s.accounts {
		for j, r := range a.requests {
			if match(r) {
				return i, j, true
			}
		}
	}
	return 0, 0, false
}

func (s *life) poll(p oauth.Policy, now time.Time, c *call) []outcome {
	i, j, found := s.request(func(r requestLife) bool { return c.code != "" && r.code == c.code })
	if !found || c.foreign || !c.orgEnabled || c.client != c.ids[i] {
		return s.refused(problem.InvalidGrant)
	}
	r := s.accounts[i].requests[j]
	switch {
	case r.state == oauth.DeviceRedeemed || r.state == oauth.DeviceDead:
		return s.refused(problem.InvalidGrant)
	case r.state == oauth.DeviceDenied:
		return s.unlessDisabled(problem.AccessDenied)
	case !now.Before(r.asked.Add(p.DeviceLifetime)):
		return s.unlessDisabled(problem.ExpiredToken)
	case !s.enabled:
		return s.refused(problem.InvalidGrant)
	}
	next := s.clone()
	a := &next.accounts[i]
	if r.state == oauth.DevicePending {
		code := problem.AuthorizationPending
		if !r.polled.IsZero() && now.Sub(r.polled) < r.interval*9/10 {
			code = problem.SlowDown
			a.requests[j].interval += 5 * time.Second
		}
		a.requests[j].polled = now
		return next.refused(code)
	}
	for k := range a.requests {
		if q := &a.requests[k]; q.state == oauth.DevicePending || q.state == oauth.DeviceGranted {
			q.state = oauth.DeviceDead
		}
	}
	a.requests[j].state = oauth.DeviceRedeemed
	a.end(now)
	a.families = append(a.families, familyLife{granted: now, tokens: []string{""}})
	expires := now.Add(p.AccountLifetime)
	if end := now.Add(p.MaxAge); p.MaxAge > 0 && end.Before(expires) {
		expires = end
	}
	a.sessions = append(a.sessions, expires)
	return []outcome{{after: next, token: &a.families[len(a.families)-1].tokens[0]}}
}

// unlessDisabled adds the answer of a poll that finds the organization disabled
// after it found the request.
func (s *life) unlessDisabled(code problem.Code) []outcome {
	if s.enabled {
		return s.refused(code)
	}
	return s.refused(code, problem.InvalidGrant)
}

func (s *life) decide(p oauth.Policy, now time.Time, c *call) []outcome {
	if !s.enabled && c.kind != lookUp {
		return s.refused(problem.Forbidden) // the administrator stands no more
	}
	i, j, found := s.request(func(r requestLife) bool { return c.user != "" && r.user == c.user })
	if !found || c.foreign || s.accounts[i].requests[j].state != oauth.DevicePending ||
		!slices.Contains(s.accounts[i].open(p, now), j) {
		// Whoever deletes an account in the middle of this shows as its absence.
		return s.refused(problem.UnknownUserCode, problem.NotFound)
	}
	next := s.clone()
	switch c.kind {
	case lookUp:
		return []outcome{{after: s, others: len(s.accounts[i].open(p, now)) - 1}}
	case grant:
		next.accounts[i].requests[j].state = oauth.DeviceGranted
	default:
		next.accounts[i].requests[j].state = oauth.DeviceDenied
	}
	return []outcome{{after: next}}
}

func (s *life) end(p oauth.Policy, now time.Time, c *call) []outcome {
	if !s.enabled {
		return s.refused(problem.Forbidden)
	}
	if s.accounts[c.account].deleted {
		return s.refused(problem.NotFound)
	}
	next := s.clone()
	a := &next.accounts[c.account]
	for _, i := range a.open(p, now) {
		if a.requests[i].state == oauth.DeviceGranted {
			a.requests[i].state = oauth.DeviceDead
		}
	}
	a.end(now)
	if c.kind == remove {
		*a = accountLife{deleted: true, replays: a.replays, outlived: a.outlived}
	}
	return []outcome{{after: next}}
}

// sight is what can be seen of the model in the database, one line for each row.
func (s *life) sight(ids []oauth.ClientID, now time.Time) string {
	var lines []string
	for i, a := range s.accounts {
		id := ids[i]
		lines = append(lines, fmt.Sprintf("account %s deleted %t", id, a.deleted))
		for _, r := range a.requests {
			lines = append(lines, requestLine(id, r))
		}
		for _, f := range a.families {
			line := fmt.Sprintf("family %s revoked %t granted %d generation %d", id, !f.revoked.IsZero(), micros(f.granted), len(f.tokens)-1)
			for _, u := range f.used {
				line += fmt.Sprintf(" (%d %s %d)", micros(u.at), u.source, u.retries)
			}
			lines = append(lines, line)
		}
		live := 0
		for _, expires := range a.sessions {
			if expires.After(now) {
				live++
			}
		}
		if s.enabled { // what a rotation opens while the organization is being disabled is ended later
			lines = append(lines, fmt.Sprintf("sessions %s %d", id, live))
		}
		lines = append(lines, fmt.Sprintf("alarms %s %d %d", id, a.replays, a.outlived))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func requestLine(id oauth.ClientID, r requestLife) string {
	line := fmt.Sprintf("request %s %s asked %d from %s", id, r.state, micros(r.asked), r.source)
	if r.state == oauth.DevicePending { // later polls change nothing that counts
		line += fmt.Sprintf(" interval %d polled %d", r.interval.Microseconds(), micros(r.polled))
	}
	return line
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
