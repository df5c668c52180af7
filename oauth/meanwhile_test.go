package oauth_test

import (
	"context"
	"testing"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/oauth"
	"causeway/tenants"
)

// meanwhile is a store on which something happens between what a caller read
// and what it then writes: the races that nobody can wait for. Nothing rotates
// before it is read.
type meanwhile struct {
	oauth.Store
	happen func()
	asked  bool
}

func (m *meanwhile) InTx(ctx context.Context, f func(oauth.Tx) error) error {
	m.now()
	return m.Store.InTx(ctx, f)
}

func (m *meanwhile) Rotate(ctx context.Context, r oauth.Rotation) (oauth.Session, bool, error) {
	if !m.asked {
		m.asked = true
		return oauth.Session{}, false, nil
	}
	m.now()
	return m.Store.Rotate(ctx, r)
}

func (m *meanwhile) now() {
	if happen := m.happen; happen != nil {
		m.happen = nil
		happen()
	}
}

func TestRefresh_R3_R4_WhatHappensMeanwhile(t *testing.T) {
	t.Parallel()
	// present shows the tokens of some generations.
	present := func(generations ...int) func(*race) {
		return func(r *race) {
			for _, g := range generations {
				got, err := r.refresh(here, r.tokens[g])
				r.must(err)
				r.learn(g+1, got.RefreshToken)
			}
		}
	}
	revoke := func(r *race) { r.must(r.service.Revoke(r.ctx(), r.admin, r.org, r.account.ID)) }
	remove := func(r *race) { r.must(r.service.Delete(r.ctx(), r.admin, r.org, r.account.ID)) }
	anew := func(r *race) { r.renewed = r.activate(r.account) }
	replay := func(r *race) {
		_, err := r.refresh(there, r.tokens[0])
		wantProblem(r.t, err, problem.Replayed)
	}
	eachWithRows(t, func(t *testing.T, db *store.DB, raw rows) {
		for _, tt := range []struct {
			name   string
			before []int // generations presented before
			show   int
			happen func(*race)
			want   []problem.Code // empty: the next generation
			alarms int
		}{
			{"current, another call shows it first", nil, 0, present(0), nil, 0},
			{"current, the successor is shown too", nil, 0, present(0, 1), []problem.Code{problem.Replayed}, 1},
			{"current, the account is revoked", nil, 0, revoke, []problem.Code{problem.InvalidGrant}, 0},
			{"current, the account is deleted", nil, 0, remove, []problem.Code{problem.InvalidGrant}, 0},
			{"current, the account gets a new token", nil, 0, anew, []problem.Code{problem.InvalidGrant}, 0},
			{"current, a thief's replay revokes it", []int{0, 1}, 2, replay, []problem.Code{problem.InvalidGrant}, 1},
			{"spent, another retries", []int{0}, 0, present(0), nil, 0},
			{"spent, the successor is shown", []int{0}, 0, present(1), []problem.Code{problem.Replayed}, 1},
			{"spent, the account is revoked", []int{0}, 0, revoke, []problem.Code{problem.InvalidGrant}, 0},
			{"spent, the account is deleted", []int{0}, 0, remove, []problem.Code{problem.InvalidGrant}, 0},
			{"spent, the account gets a new token", []int{0}, 0, anew, []problem.Code{problem.InvalidGrant}, 0},
			{"replay, the account is revoked", []int{0, 1}, 0, revoke, []problem.Code{problem.InvalidGrant, problem.Replayed}, 0},
			{"replay, the account is deleted", []int{0, 1}, 0, remove, []problem.Code{problem.InvalidGrant, problem.Replayed}, 0},
			{"replay, the account gets a new token", []int{0, 1}, 0, anew, []problem.Code{problem.InvalidGrant, problem.Replayed}, 0},
			{"replay, another replay is first", []int{0, 1}, 0, replay, []problem.Code{problem.InvalidGrant, problem.Replayed}, 1},
		} {
			t.Run(tt.name, func(t *testing.T) {
				w := newWorld(t, db)
				a := w.newAccount()
				r := &race{world: w, account: a, tokens: []secret.Text{w.activate(a).RefreshToken}}
				present(tt.before...)(r)
				interrupted := w.newService(&meanwhile{Store: db.OAuth(), happen: func() { tt.happen(r) }})

				got, err := interrupted.Refresh(w.ctx(), from(here), w.snapshot(), "", r.tokens[tt.show])
				if len(tt.want) == 0 {
					w.must(err)
					r.learn(tt.show+1, got.RefreshToken)
					w.wantAlive(got.AccessToken, true)
				} else {
					if p := problem.As(err); p == nil || !isOneOf(p.Code, tt.want) {
						t.Errorf("got %v, want one of %q", err, tt.want)
					}
					if r.renewed.RefreshToken == "" {
						raw.in(t).wantNothingLive(a)
					}
				}
				if r.renewed.RefreshToken != "" {
					w.wantAlive(r.renewed.AccessToken, true)
					w.mustRefresh(r.renewed.RefreshToken)
				}
				if n := len(w.recorded(journal.FamilyReplayed)); n != tt.alarms {
					t.Errorf("%d alarms, want %d", n, tt.alarms)
				}
			})
		}
	})
}

// race is a family that several have a hand in.
type race struct {
	*world
	account oauth.ServiceAccount
	tokens  []secret.Text // by generation
	renewed oauth.Tokens
}

// learn notes the token of a generation: whoever gets it gets the same.
func (r *race) learn(generation int, token secret.Text) {
	r.t.Helper()
	if generation == len(r.tokens) {
		r.tokens = append(r.tokens, token)
	}
	if r.tokens[generation] != token {
		r.t.Errorf("there are two tokens of generation %d", generation)
	}
}

func isOneOf(code problem.Code, codes []problem.Code) bool {
	for _, c := range codes {
		if c == code {
			return true
		}
	}
	return false
}

// lost is a database that fails when it is asked for roles.
type lost struct{ oauth.Store }

type lostTx struct{ oauth.Tx }

func (l lost) InTx(ctx context.Context, f func(oauth.Tx) error) error {
	return l.Store.InTx(ctx, func(tx oauth.Tx) error { return f(lostTx{tx}) })
}

func (lostTx) Role(tenants.OrgID, tenants.RoleID) (tenants.Role, error) {
	return tenants.Role{}, problem.New(problem.Unavailable, "The database cannot be reached now.")
}

func (t lostTx) RoleByName(org tenants.OrgID, _ string) (tenants.Role, error) { return t.Role(org, "") }

// A database that does not answer has not said no: clients must try again, not
// give up.
func TestManage_R13_ALostDatabaseIsNoAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newDB(t))
	a := w.newAccount()
	d := w.startDevice(a)
	service := w.newService(lost{w.db.OAuth()})

	_, err := service.Register(w.ctx(), w.admin, w.snapshot(), registration())
	wantProblem(t, err, problem.Unavailable)
	_, err = service.Update(w.ctx(), w.admin, w.snapshot(), a.ID, oauth.Edit{Role: a.Role, SoftwareID: a.SoftwareID})
	wantProblem(t, err, problem.Unavailable)
	wantProblem(t, service.Grant(w.ctx(), w.admin, w.snapshot(), d.UserCode), problem.Unavailable)
	w.wantStatus(a, oauth.Requested)
}
