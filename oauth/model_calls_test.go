package oauth_test

import (
	"context"
	"fmt"

	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/oauth"
	"causeway/tenants"
)

// deed is what somebody does.
type deed int

const (
	refresh deed = iota
	ask
	poll
	grant
	deny
	lookUp
	revoke
	remove
	disable
	enable
	deeds // how many there are
)

func (d deed) String() string {
	return [...]string{"refresh", "ask", "poll", "grant", "deny", "look up", "revoke", "delete", "disable", "enable"}[d]
}

// call is one deed, what it was done with, and what came of it.
type call struct {
	kind       deed
	account    int
	source     string
	token      string // of refresh
	code, user string // of a device request
	client     oauth.ClientID
	ids        []oauth.ClientID // of the accounts
	foreign    bool             // at another organization's endpoint
	orgEnabled bool             // as the caller saw it
	blown      int              // the step at which it fails; 0 is none
	givesUp    bool             // it does not fail there, but its caller leaves

	unsure bool // it may have happened, or not
	failed problem.Code
	err    error
	got    oauth.Tokens
	asked  oauth.DeviceAuthorization
	others int
}

func (c *call) String() string {
	return fmt.Sprintf("%s of account %d from %s (token %.4s, code %.4s, user %.4s, client %.4s, foreign %t, breaks at %d, gives up %t): %q unsure %t token %.4s",
		c.kind, c.account, c.source, c.token, c.code, c.user, c.client, c.foreign, c.blown, c.givesUp, c.failed, c.unsure, c.got.RefreshToken.Reveal())
}

// do calls the real thing.
func (c *call) do(tr *trial, service *oauth.Service) {
	ctx := tr.ctx()
	var f *fuse
	if c.blown > 0 {
		ctx, f = fused(ctx, c.blown, c.givesUp)
	}
	c.err = c.run(ctx, tr, service)
	if p := problem.As(c.err); p != nil {
		c.failed = p.Code
	} else if c.err != nil {
		c.failed = problem.Internal
	}
	if f != nil {
		f.mu.Lock()
		c.unsure = f.burnt && c.failed == problem.Unavailable
		f.mu.Unlock()
	}
}

func (c *call) run(ctx context.Context, tr *trial, service *oauth.Service) (err error) {
	org := tr.org
	switch {
	case c.foreign:
		org = tr.elsewhere
	case !c.orgEnabled:
		org = tr.closed
	}
	switch id := c.ids[c.account]; c.kind {
	case refresh:
		c.got, err = service.Refresh(ctx, from(c.source), org, c.client, secret.Text(c.token))
	case ask:
		c.asked, err = service.AuthorizeDevice(ctx, from(c.source), org, id)
	case poll:
		c.got, err = service.RedeemDevice(ctx, from(c.source), org, c.client, c.code)
	case grant:
		err = service.Grant(ctx, tr.admin, org, c.user)
	case deny:
		err = service.Deny(ctx, tr.admin, org, c.user)
	case lookUp:
		var found oauth.AccessRequest
		found, err = service.LookUp(ctx, tr.admin, org, c.user)
		c.others = found.Parallel
	case revoke:
		err = service.Revoke(ctx, tr.admin, tr.world.org, id)
	case remove:
		err = service.Delete(ctx, tr.admin, tr.world.org, id)
	default:
		err = tr.setEnabled(c.kind == enable)
	}
	return err
}

// setEnabled does what the tenants package does.
func (tr *trial) setEnabled(enabled bool) error {
	return tr.db.Tenants().InTx(tr.ctx(), func(tx tenants.Tx) error {
		if err := tx.LockOrganization(tr.world.org); err != nil {
			return err
		}
		o, err := tx.Organization(tr.world.org)
		if err != nil {
			return err
		}
		o.Enabled = enabled
		if err := tx.UpdateOrganization(o); err != nil {
			return err
		}
		return tx.EndSessions(tr.world.org, tr.clock.now())
	})
}

// explain finds what may be true after calls that ran at once: it tries every
// order, and of a call without an answer both that it happened and that it did not.
func explain(tr *trial, before []*life, calls []*call) (after []*life) {
	seen, found := map[string]bool{}, map[string]bool{}
	now := tr.clock.now()
	var try func(s *life, done uint)
	try = func(s *life, done uint) {
		key := s.key()
		if id := fmt.Sprint(done, key); seen[id] {
			return
		} else {
			seen[id] = true
		}
		if done == 1<<len(calls)-1 {
			if !found[key] {
				found[key] = true
				after = append(after, s)
			}
			return
		}
		if i := harmless(tr, s, calls, done); i >= 0 {
			try(s, done|1<<i)
			return
		}
		for i, c := range calls {
			if done&(1<<i) != 0 {
				continue
			}
			if c.unsure {
				try(s, done|1<<i)
			}
			for _, o := range s.apply(tr.policy, now, c) {
				if next := o.agrees(s, c); next != nil {
					try(next, done|1<<i)
				}
			}
		}
	}
	for _, s := range before {
		try(s, 0)
	}
	return after
}

// harmless is a call that may have happened now and changed nothing, or -1: others
// need not be tried before it.
func harmless(tr *trial, s *life, calls []*call, done uint) int {
	for i, c := range calls {
		if done&(1<<i) != 0 || c.unsure {
			continue
		}
		for _, o := range s.apply(tr.policy, tr.clock.now(), c) {
			if o.after == s && o.agrees(s, c) != nil {
				return i
			}
		}
	}
	return -1
}

// agrees is what is known after c answered as it did, nil if it cannot have
// answered so.
func (o outcome) agrees(before *life, c *call) *life {
	if c.unsure {
		return o.after
	}
	if o.code != c.failed || c.kind == lookUp && o.code == "" && o.others != c.others {
		return nil
	}
	if o.token != nil {
		got := c.got.RefreshToken.Reveal()
		if *o.token == "" && !before.knows(got) {
			*o.token = got
		}
		if *o.token != got || got == "" {
			return nil
		}
	}
	if o.asked != nil {
		o.asked.code, o.asked.user = c.asked.DeviceCode, c.asked.UserCode
	}
	return o.after
}
