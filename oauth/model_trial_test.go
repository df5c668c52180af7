package oauth_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/store"
	"causeway/oauth"
	"causeway/tenants"
)

// batch is a wait and then what is done at once. It is data, so that a history
// that went wrong can be made shorter and played again.
type batch struct {
	wait  time.Duration
	moves []move
}

// move is a deed before it is known what there is to do it with: pick chooses
// among what has been handed out, the newest first.
type move struct {
	kind          deed
	account, pick int
	source        string
	blown         int
	givesUp       bool
	stray         int // 1: at another organization; 2: as another client; 3: as itself by name
}

// weights are how often each deed is done.
type weights [deeds]int

// history makes up what happens.
func history(r *rand.Rand, w weights, batches int) (all []batch) {
	var bag []deed
	for kind, n := range w {
		for range n {
			bag = append(bag, deed(kind))
		}
	}
	waits := []time.Duration{
		0, 0, 0, 0, ms, time.Second, 5 * time.Second, 9 * time.Second, 30 * time.Second, 54 * time.Second, minute - ms, minute, minute + 5*time.Second,
		10 * minute, time.Hour - ms, time.Hour, day - ms, day, 31 * day,
	}
	for range batches {
		b := batch{wait: waits[r.IntN(len(waits))]}
		if r.IntN(3) > 0 {
			b.wait = waits[r.IntN(12)]
		}
		n := 1
		if r.IntN(3) == 0 {
			n = 2 + r.IntN(7)
		}
		for range n {
			b.moves = append(b.moves, aMove(r, bag[r.IntN(len(bag))]))
		}
		for i := range b.moves[min(n, 3):] { // of many that may have happened nobody could tell
			b.moves[3+i].blown = 0
		}
		all = append(all, b)
	}
	return all
}

func aMove(r *rand.Rand, kind deed) move {
	m := move{kind: kind, account: min(r.IntN(4), 1), source: []string{here, here, here, there, office, "203.0.113.77", "203.0.113.78"}[r.IntN(7)]}
	switch r.IntN(8) {
	case 0, 1, 2, 3, 4:
	case 5, 6:
		m.pick = r.IntN(3)
	default:
		m.pick = r.IntN(12)
	}
	if r.IntN(5) == 0 {
		m.blown, m.givesUp = 1+r.IntN(12), r.IntN(4) == 0
	}
	if n := r.IntN(20); n < 4 {
		m.stray = n
	}
	return m
}

// trial plays a history on the real thing and on the model.
type trial struct {
	*world
	rows         rows
	cells        []*oauth.Service
	ids          []oauth.ClientID
	org          *tenants.Snapshot // of the world's organization
	closed       *tenants.Snapshot // the same, disabled
	elsewhere    *tenants.Snapshot // another organization
	tokens       []string
	codes, users []string
	states       []*life // what may be true, all of the same sight
	keepAlive    bool
	refreshes    int
}

func newTrial(t *testing.T, db *store.DB, r rows, tweak func(*oauth.Policy)) *trial {
	tr := &trial{world: newWorld(t, db, tweak), rows: r}
	tr.org, tr.closed, tr.elsewhere = tr.snapshot(), tr.disabled(), tr.neighbour().snapshot()
	tr.cells = []*oauth.Service{tr.newService(faulty{db.OAuth()}), tr.newService(faulty{db.OAuth()})}
	s := &life{enabled: true}
	for range 2 {
		tr.ids = append(tr.ids, tr.newAccount().ID)
		s.accounts = append(s.accounts, accountLife{})
	}
	tr.states = []*life{s}
	return tr
}

// play plays a history; the error says where the real thing left the model.
func (tr *trial) play(h []batch) error {
	for i, b := range h {
		tr.clock.add(b.wait)
		if err := tr.statuses(); err != nil {
			return fmt.Errorf("batch %d, before: %w", i, err)
		}
		tr.replace()
		if err := tr.connect(); err != nil {
			return fmt.Errorf("batch %d, connecting: %w", i, err)
		}
		calls := tr.prepare(b)
		together(len(calls), func(n int) { calls[n].do(tr, tr.cells[n%2]) })
		if err := tr.judge(calls); err != nil {
			return fmt.Errorf("batch %d: %w", i, err)
		}
	}
	return tr.alarms()
}

// replace makes a new account where one was deleted.
func (tr *trial) replace() {
	for i := range tr.ids {
		if s := tr.states[0]; !s.accounts[i].deleted || !s.enabled {
			continue
		}
		tr.ids = slices.Clone(tr.ids)
		tr.ids[i] = tr.newAccount().ID
		for _, s := range tr.states { // all of them see that it was deleted
			s.accounts[i] = accountLife{}
		}
	}
}

// connect gives accounts without a live token a new one, where that is wanted.
func (tr *trial) connect() error {
	for account := range tr.ids {
		for _, kind := range []deed{ask, grant, poll} {
			s := tr.states[0]
			if a := s.accounts[account]; !tr.keepAlive || !s.enabled || a.status(tr.policy, tr.clock.now()) == oauth.Active {
				break
			}
			c := &call{
				kind: kind, account: account, source: here, ids: tr.ids, client: tr.ids[account], orgEnabled: true,
				code: newest(tr.codes, 0), user: newest(tr.users, 0),
			}
			c.do(tr, tr.service)
			if err := tr.judge([]*call{c}); err != nil {
				return err
			}
		}
	}
	return nil
}

// newest takes one of list, 0 the newest; "" when there is none.
func newest(list []string, pick int) string {
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1-pick%len(list)]
}

// prepare gives every move what it is done with.
func (tr *trial) prepare(b batch) (calls []*call) {
	for _, m := range b.moves {
		c := &call{
			kind: m.kind, account: m.account, source: m.source, ids: tr.ids, orgEnabled: tr.states[0].enabled,
			token: newest(tr.tokens, m.pick), code: newest(tr.codes, m.pick), user: newest(tr.users, m.pick),
			foreign: m.stray == 1, blown: m.blown, givesUp: m.givesUp,
		}
		if c.kind == lookUp && len(b.moves) > 1 {
			c.kind = grant // a look-up reads in several steps, and tells of several moments
		}
		if c.kind == refresh && c.token == "" || c.kind == poll && c.code == "" || (c.kind == grant || c.kind == deny || c.kind == lookUp) && c.user == "" {
			c.kind = ask
		}
		c.client = tr.client(c, m.stray)
		calls = append(calls, c)
	}
	return calls
}

// client is as whom a call presents itself: a poll names the code's owner, a
// refresh usually nobody.
func (tr *trial) client(c *call, stray int) oauth.ClientID {
	owner := c.account
	s := tr.states[0]
	if i, _, found := s.request(func(r requestLife) bool { return r.code == c.code }); found && c.kind == poll {
		owner = i
	}
	if i, _, _, found := s.find(c.token); found && c.kind == refresh {
		owner = i
	}
	switch {
	case stray == 2:
		return tr.ids[1-owner]
	case c.kind == refresh && stray != 3:
		return ""
	}
	return tr.ids[owner]
}

// judge asks the model whether the answers can be, and the database whether what
// the model concludes is true.
func (tr *trial) judge(calls []*call) error {
	for _, c := range calls {
		if c.kind == refresh && c.failed == "" {
			tr.refreshes++
		}
		tr.tokens, tr.codes, tr.users = learn(tr.tokens, c.got.RefreshToken.Reveal()), learn(tr.codes, c.asked.DeviceCode), learn(tr.users, c.asked.UserCode)
	}
	possible := explain(tr, tr.states, calls)
	if len(possible) == 0 {
		return fmt.Errorf("no order of these calls gives these answers:\n%s\nbefore:\n%s", list(calls), tr.states[0].sight(tr.ids, tr.clock.now()))
	}
	enabled := tr.rows.count(fmt.Sprintf("organizations WHERE id = '%s' AND enabled = %s", tr.world.org, tr.rows.yes())) == 1
	seen := tr.look(enabled)
	tr.states = nil
	for _, s := range possible {
		if s.enabled == enabled && s.sight(tr.ids, tr.clock.now()) == seen {
			tr.states = append(tr.states, s)
		}
	}
	if len(tr.states) == 0 {
		return fmt.Errorf("the database says\n%s\nthe model\n%s\nafter\n%s", seen, possible[0].sight(tr.ids, tr.clock.now()), list(calls))
	}
	return tr.statuses()
}

// statuses compares what the API says of the accounts.
func (tr *trial) statuses() error {
	for i, id := range tr.ids {
		a := &tr.states[0].accounts[i]
		if a.deleted {
			continue
		}
		got, err := tr.service.Account(tr.ctx(), tr.world.org, id)
		if err != nil {
			return err
		}
		if want := a.status(tr.policy, tr.clock.now()); got.Status != want {
			return fmt.Errorf("account %d is %s, want %s", i, got.Status, want)
		}
	}
	return nil
}

func learn(known []string, s string) []string {
	if s == "" || slices.Contains(known, s) {
		return known
	}
	return append(known, s)
}

func list(calls []*call) string {
	var lines []string
	for _, c := range calls {
		lines = append(lines, c.String())
	}
	return strings.Join(lines, "\n")
}

// yes is true, as the database writes it.
func (r rows) yes() string {
	if r.onPostgres {
		return "true"
	}
	return "1"
}

// alarms checks that each replay in the journal names who showed the token first
// and who showed it again.
func (tr *trial) alarms() error {
	for _, row := range tr.recorded(journal.FamilyReplayed) {
		for _, name := range []string{"firstShownFrom", "firstShownAt", "replayedFrom", "replayUserAgent", "family", "generation"} {
			if row.Detail[name] == "" {
				return fmt.Errorf("the alarm %d does not tell %s: %v", row.Seq, name, row.Detail)
			}
		}
	}
	return nil
}
