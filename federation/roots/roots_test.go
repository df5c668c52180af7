package roots_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"causeway/federation"
	"causeway/federation/links"
	"causeway/federation/peer"
	"causeway/federation/roots"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

const day = 24 * time.Hour

// world is a site with an administrator, at a time of its own.
type world struct {
	*testing.T
	db    *store.DB
	keys  *secret.Keys
	at    time.Time
	self  federation.Self
	admin tenants.Caller
	cell  *roots.Keeper
}

func newWorld(t *testing.T, db *store.DB) *world {
	t.Helper()
	w := &world{T: t, db: db, at: time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC)}
	var err error
	w.keys, err = secret.NewKeys(bytes.Repeat([]byte{7}, 32))
	w.must(err)
	hasher, err := secret.NewPasswordHasher(secret.PasswordLimits{Concurrent: 1})
	w.must(err)
	w.must(tenants.NewProvisioner(db.Tenants(), hasher, w.now).EnsureSystem(w.Context()))
	w.self, _, err = links.EnsureSelf(w.Context(), db.Federation(), w.keys, "west", w.at)
	w.must(err)
	role := tenants.Role{ID: tenants.RoleID(tenants.NewID()), Org: tenants.SystemOrgID, Name: "Keeper of keys"}
	user := tenants.User{
		ID: tenants.UserID(tenants.NewID()), Org: tenants.SystemOrgID, Name: "jane", ProviderType: tenants.ProviderIntegrated, Role: role.ID,
		Enabled: true, CreatedAt: w.at,
	}
	w.must(db.Tenants().InTx(w.Context(), func(tx tenants.Tx) error { return errors.Join(tx.CreateRole(role), tx.CreateUser(user)) }))
	w.admin.Principal = tenants.Principal{Kind: tenants.KindUser, ID: string(user.ID), Org: user.Org, Role: role.ID}
	w.cell = w.newCell()
	return w
}

func (w *world) now() time.Time { return w.at }

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// newCell is one more cell of the site, or the same after a restart.
func (w *world) newCell() *roots.Keeper {
	w.Helper()
	k, err := roots.Open(w.Context(), roots.Config{Store: w.db.Federation(), Keys: w.keys, PublishAhead: day, Now: w.now})
	w.must(err)
	return k
}

func (w *world) rotate() roots.Info {
	w.Helper()
	made, err := w.cell.Rotate(w.Context(), w.admin)
	w.must(err)
	return made
}

func (w *world) wantStates(want ...roots.State) (list []roots.Info) {
	w.Helper()
	list, err := w.cell.List(w.Context())
	w.must(err)
	slices.Reverse(list)
	var got []roots.State
	for _, k := range list {
		got = append(got, k.State)
	}
	if !slices.Equal(got, want) {
		w.Errorf("keys are %v, want %v", got, want)
	}
	return list
}

// other is a site that pins this one.
type other struct{ peer.Pins }

func (w *world) newOther() *other {
	return &other{peer.Pins{Site: w.self.ID, Current: w.cell.Public()}}
}

// ask has the other site read a cell's bundle.
func (o *other) ask(w *world, cell *roots.Keeper) error {
	w.Helper()
	token, err := cell.Sign(peer.Bundle{Name: "west", Peer: []string{"west.example:7443"}, RefreshHint: 5 * time.Minute})
	w.must(err)
	_, after, err := o.Accept(token, w.at)
	if err == nil {
		o.Pins = after
	}
	return err
}

func (o *other) knows(key *ecdsa.PublicKey) bool { return o.Keys().Have(key) }

// TestRotation_R10 goes through a rotation with two cells and a restart in each
// phase. A site that asks once a day always knows the key that signs.
func TestRotation_R10(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		o := w.newOther()
		w.must(o.ask(w, w.cell))
		first := w.cell.Public()
		phase := func(signs *ecdsa.PublicKey) {
			t.Helper()
			for what, cell := range map[string]*roots.Keeper{"this cell": w.cell, "a cell that starts now": w.newCell()} {
				if !cell.Public().Equal(signs) || !o.knows(cell.Public()) {
					t.Errorf("%s signs with another key, or one that the other site does not know", what)
				}
				w.must(o.ask(w, cell))
			}
			w.must(w.cell.Keep(t.Context()))
		}
		w.wantStates(roots.Signing)
		phase(first)

		next := w.rotate()
		if next.State != roots.Published || !next.SignsFrom.Equal(w.at.Add(day)) {
			t.Errorf("%+v", next)
		}
		w.wantStates(roots.Signing, roots.Published)
		phase(first)
		w.at = w.at.Add(day - time.Second)
		phase(first)

		w.at = w.at.Add(time.Second)
		list := w.wantStates(roots.Proving, roots.Signing)
		second := w.cell.Public()
		if print, _ := peer.Fingerprint(second); print != next.Fingerprint || list[1].Fingerprint != print {
			t.Error("another key signs than was announced")
		}
		phase(second)
		if !o.knows(first) {
			t.Error("connections that the old key proved are cut while its leaves live")
		}
		w.at = w.at.Add(2*day - time.Second)
		phase(second)
		w.wantStates(roots.Proving, roots.Signing)

		w.at = w.at.Add(time.Hour)
		w.must(w.cell.Keep(t.Context()))
		w.must(w.newCell().Keep(t.Context())) // the step is taken once
		w.wantStates(roots.Retired, roots.Signing)
		phase(second)
		if o.knows(first) {
			t.Error("a retired key still proves the site")
		}

		w.rotate() // and so on
		w.wantStates(roots.Retired, roots.Signing, roots.Published)
		phase(second)
	})
}

// TestCellsAgree_R10: a cell that has not followed yet is corrected by the
// journal, and the number of what all say never goes back.
func TestCellsAgree_R10(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		behind := w.newCell()
		before := w.cell.Seq()
		made := w.rotate()
		if w.cell.Seq() <= before {
			t.Error("the number did not grow")
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); behind.Run(ctx, slog.New(slog.DiscardHandler)) }()
		behind.Apply(journal.Row{Entry: journal.Entry{Org: string(tenants.SystemOrgID), Subject: journal.Subject{Kind: journal.KindKey, ID: made.Fingerprint}}})
		deadline := time.After(10 * time.Second)
		for behind.Seq() != w.cell.Seq() {
			select {
			case <-deadline:
				t.Fatal("the other cell did not follow")
			case <-time.After(time.Millisecond):
			}
		}
		cancel()
		<-done
		w.at = w.at.Add(-time.Hour) // the clock was set back
		last := w.cell.Seq()
		_, err := w.cell.Retire(t.Context(), w.admin, made.Fingerprint)
		w.must(err)
		if w.cell.Seq() <= last || w.newCell().Seq() != w.cell.Seq() {
			t.Error("the number went back")
		}
	})
}

// TestEmergency_R10: a key that is retired by hand counts for nothing, at once:
// not at sites that know its successor, and its word neither at those that do not.
func TestEmergency_R10(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		o, away := w.newOther(), w.newOther()
		first := w.cell.Public()
		next := w.rotate()
		w.must(o.ask(w, w.cell))
		w.at = w.at.Add(time.Second)
		_, err := w.cell.Retire(t.Context(), w.admin, w.wantStates(roots.Signing, roots.Published)[0].Fingerprint)
		w.must(err)
		w.wantStates(roots.Retired, roots.Signing)
		if print, _ := peer.Fingerprint(w.cell.Public()); print != next.Fingerprint {
			t.Error("the announced key does not sign")
		}
		w.must(o.ask(w, w.cell))
		if o.knows(first) {
			t.Error("the retired key proves the site")
		}
		if err := away.ask(w, w.cell); !errors.Is(err, peer.ErrSuccession) {
			t.Errorf("a site that heard nothing: %v", err)
		}
		// Retiring again changes nothing.
		again, err := w.cell.Retire(t.Context(), w.admin, w.wantStates(roots.Retired, roots.Signing)[0].Fingerprint)
		if err != nil || again.State != roots.Retired {
			t.Errorf("%+v, %v", again, err)
		}
		w.wantStates(roots.Retired, roots.Signing)
	})
}

// TestEmergencyUnannounced_R10: a key that nobody was told of is nobody's.
func TestEmergencyUnannounced_R10(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		o := w.newOther()
		w.must(o.ask(w, w.cell))
		first := w.wantStates(roots.Signing)[0]
		w.at = w.at.Add(time.Second)
		_, err := w.cell.Retire(t.Context(), w.admin, first.Fingerprint)
		w.must(err)
		w.wantStates(roots.Retired, roots.Signing)
		if err := o.ask(w, w.newCell()); !errors.Is(err, peer.ErrSuccession) {
			t.Errorf("a key that nobody announced: %v", err)
		}
	})
}

// TestApart_R10: a site that was away for a whole rotation follows by what the old
// key says; one that was away for two does not.
func TestApart_R10(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		one, two := w.newOther(), w.newOther()
		turn := func() {
			w.rotate()
			w.at = w.at.Add(4 * day)
			w.must(w.cell.Keep(t.Context()))
		}
		turn()
		w.must(one.ask(w, w.cell))
		turn()
		w.must(one.ask(w, w.newCell()))
		if err := two.ask(w, w.cell); !errors.Is(err, peer.ErrSuccession) {
			t.Errorf("two rotations: %v", err)
		}
	})
}

// TestRotateRefuses_R10: one succession at a time, by who may, of what is there.
func TestRotateRefuses_R10(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		refused := func(what string, err error, want problem.Code) {
			t.Helper()
			if !problem.Has(err, want) {
				t.Errorf("%s: %v", what, err)
			}
		}
		seq := w.cell.Seq()
		stranger := tenants.Caller{Principal: tenants.Principal{Kind: tenants.KindUser, ID: tenants.NewID(), Org: tenants.SystemOrgID}}
		_, err := w.cell.Rotate(t.Context(), stranger)
		refused("somebody who is gone", err, problem.Forbidden)
		_, err = w.cell.Retire(t.Context(), stranger, w.wantStates(roots.Signing)[0].Fingerprint)
		refused("somebody who is gone", err, problem.Forbidden)
		_, err = w.cell.Retire(t.Context(), w.admin, "00")
		refused("an unknown key", err, problem.NotFound)
		if again := w.newCell(); again.Seq() != seq {
			t.Error("a refusal changed what the site says")
		}
		w.rotate()
		_, err = w.cell.Rotate(t.Context(), w.admin)
		refused("while one is published", err, problem.Conflict)
		w.at = w.at.Add(2 * day)
		_, err = w.cell.Rotate(t.Context(), w.admin)
		refused("while the one before counts", err, problem.Conflict)
		w.wantStates(roots.Proving, roots.Signing)
	})
}

// TestRetired_R12: nothing is left of what was secret of a key, in its row.
func TestRetired_R12(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.rotate()
		_, err := w.cell.Retire(t.Context(), w.admin, w.wantStates(roots.Signing, roots.Published)[0].Fingerprint)
		w.must(err)
		w.must(db.Federation().View(t.Context(), func(r federation.Reader) error {
			rows, err := r.Roots()
			for _, row := range rows {
				if (len(row.Sealed) == 0) != !row.RetiredAt.IsZero() {
					t.Errorf("%+v", row)
				}
			}
			return err
		}))
	})
}
