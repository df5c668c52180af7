package oauth_test

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// rotating is the policy that sites have by default, but for sessions that end
// unused.
func rotating(p *oauth.Policy) {
	p.IdleTimeout = 365 * day
	p.Keys = oauth.KeyPolicy{RotateEvery: 90 * day, PublishAhead: day}
}

// keys are the site's, the oldest first.
func (w *world) keys() []oauth.KeyInfo {
	w.t.Helper()
	list, err := w.service.Keys(w.ctx())
	w.must(err)
	slices.Reverse(list)
	return list
}

func (w *world) wantStates(want ...oauth.KeyState) {
	w.t.Helper()
	var got []oauth.KeyState
	for _, k := range w.keys() {
		got = append(got, k.State)
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("keys are %v, want %v", got, want)
	}
}

// keep does what every cell does once a minute.
func (w *world) keep() {
	w.t.Helper()
	w.must(w.service.KeepKeys(w.ctx()))
}

// headerOf is what a token says of how it is signed.
func headerOf(w *world, token secret.Text) (header map[string]string) {
	w.t.Helper()
	part, _, _ := strings.Cut(token.Reveal(), ".")
	text, err := base64.RawURLEncoding.DecodeString(part)
	w.must(err)
	w.must(json.Unmarshal(text, &header))
	return header
}

func kidOf(w *world, token secret.Text) string {
	w.t.Helper()
	return headerOf(w, token)["kid"]
}

func (w *world) published() (ids []string) {
	w.t.Helper()
	keys, err := w.service.PublicKeys(w.ctx())
	w.must(err)
	for _, k := range keys {
		ids = append(ids, k.ID)
	}
	return ids
}

// siteJournal are the journal's rows about keys.
func (w *world) siteJournal(action journal.Action) (rows []journal.Row) {
	w.t.Helper()
	all, err := w.db.Journal().After(w.ctx(), 0, 500)
	w.must(err)
	for _, row := range all {
		if row.Action == action && row.Subject.Kind == journal.KindKey {
			rows = append(rows, row)
		}
	}
	return rows
}

// TestKeys_R5_Life: published a day ahead, then signing, then verifying until the
// last token is over, then retired; and its private part is gone when it signs no
// more.
func TestKeys_R5_Life(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, rotating)
		w.wantStates(oauth.KeySigning) // the first signs at once
		first := w.keys()[0].ID
		if random, ok := strings.CutPrefix(first, string(site)+"."); !ok || len(random) != 16 {
			t.Errorf("the key is called %q, which does not name its site", first)
		}

		w.clock.add(89*day - time.Second)
		w.keep()
		w.wantStates(oauth.KeySigning)
		w.clock.add(time.Second)
		w.keep()
		w.keep()
		w.wantStates(oauth.KeySigning, oauth.KeyPublished)
		second := w.keys()[1].ID
		if got := w.published(); !slices.Equal(got, []string{first, second}) {
			t.Errorf("published are %v", got)
		}

		w.clock.add(day - time.Second)
		last := w.activate(w.newAccount()).AccessToken // lives for 30 days
		if kid := kidOf(w, last); kid != first {
			t.Errorf("%s signs before its time", kid)
		}
		w.clock.add(time.Second)
		w.wantStates(oauth.KeyVerifying, oauth.KeySigning)
		if kid := kidOf(w, w.login().AccessToken); kid != second {
			t.Errorf("%s signs after its time", kid)
		}
		w.wantAlive(last, true)
		w.wantErased(first, false)
		w.clock.add(2 * time.Minute)
		w.keep()
		w.wantErased(first, true)
		w.wantErased(second, false)

		w.clock.add(30*day - 2*time.Minute - 2*time.Second)
		w.keep()
		w.wantStates(oauth.KeyVerifying, oauth.KeySigning)
		w.clock.add(5 * time.Minute)
		w.keep()
		w.wantStates(oauth.KeyRetired, oauth.KeySigning)
		w.keep()
		if got := w.published(); !slices.Equal(got, []string{second}) {
			t.Errorf("published are %v", got)
		}
		if made, ended := w.siteJournal(journal.KeyCreated), w.siteJournal(journal.KeyRetired); len(made) != 2 || len(ended) != 1 ||
			made[1].Subject.ID != second || ended[0].Subject.ID != first || ended[0].Actor != journal.System ||
			ended[0].Org != string(tenants.SystemOrgID) {
			t.Errorf("the journal says %v and %v", made, ended)
		}
	})
}

func (w *world) wantErased(kid string, want bool) {
	w.t.Helper()
	w.must(w.db.OAuth().View(w.ctx(), func(r oauth.Reader) error {
		keys, err := r.SigningKeys()
		for _, k := range keys {
			if k.ID == kid && (len(k.Private) == 0) != want {
				w.t.Errorf("the private part of %s is erased: %v", kid, !want)
			}
		}
		return err
	}))
}

// Cells that look at the same moment make one successor between them, and one first
// key.
func TestKeys_R5_OneSuccessorOfManyCells(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, rotating)
		var cells []*oauth.Service
		for range 6 {
			cells = append(cells, w.newService(db.OAuth()))
		}
		for round := range rounds(2, 20) {
			w.clock.add(89 * day)
			together(len(cells), func(i int) { w.must(cells[i].KeepKeys(w.ctx())) })
			if made := w.siteJournal(journal.KeyCreated); len(made) != round+2 {
				t.Fatalf("%d keys after %d rotations", len(made), round+1)
			}
			w.clock.add(day)
		}
	})
}

// An empty site's cells start at once, too.
func TestKeys_R5_OneFirstKeyOfManyCells(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := &world{t: t, db: db, clock: newClock()}
		var err error
		w.orgs, err = tenants.NewDirectory(db.Tenants(), 10)
		w.must(err)
		together(6, func(int) { w.newService(db.OAuth()) })
		w.service = w.newService(db.OAuth())
		w.wantStates(oauth.KeySigning)
	})
}

// TestKeys_R5_EmergencyRetire: nothing that the key signed is good any more, on any
// cell, remembered or not; what is no access token of it lives on.
func TestKeys_R5_R4_EmergencyRetire(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, rotating)
		a := w.newAccount()
		tokens := w.activate(a)
		legacy, err := w.service.OpenLegacySession(w.ctx(), w.admin, w.snapshot(), w.user)
		w.must(err)
		cell, other := w.own(w.run()), w.run()
		for _, c := range []*running{cell, other} {
			w.must(c.use(w.ctx(), tokens.AccessToken))
			w.must(c.use(w.ctx(), legacy.LegacyToken))
		}
		kid, _ := w.service.SigningKey()
		w.clock.add(time.Second)
		info, err := w.service.RetireKey(w.ctx(), w.admin, kid)
		w.must(err)
		if info.State != oauth.KeyRetired || info.ID != kid {
			t.Errorf("retired is %+v", info)
		}
		w.wantStates(oauth.KeyRetired, oauth.KeySigning)
		w.caughtUp(other)
		for _, c := range []*running{cell, other} {
			wantProblem(t, c.use(w.ctx(), tokens.AccessToken), problem.Unauthenticated)
			wantProblem(t, c.use(w.ctx(), legacy.LegacyToken), "")
		}
		next := w.mustRefresh(tokens.RefreshToken)
		if got := kidOf(w, next.AccessToken); got == kid || got != w.keys()[1].ID {
			t.Errorf("%s signs", got)
		}
		for _, c := range []*running{cell, other} {
			wantProblem(t, c.use(w.ctx(), next.AccessToken), "")
		}
		rows := w.siteJournal(journal.KeyRetired)
		if len(rows) != 1 || rows[0].Actor.ID != w.admin.Principal.ID || rows[0].RequestID != w.admin.RequestID {
			t.Errorf("the journal says %v", rows)
		}

		_, err = w.service.RetireKey(w.ctx(), w.admin, kid) // again: nothing
		w.must(err)
		_, err = w.service.RetireKey(w.ctx(), w.admin, "nobody")
		wantProblem(t, err, problem.NotFound)
		w.wantStates(oauth.KeyRetired, oauth.KeySigning)
	})
}

// A cell signs with the new key even where it saw the old one retired before it
// signed again.
func TestKeys_R4_OtherCellsSignWithTheNewKey(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, rotating)
		a := w.newAccount()
		other := w.run()
		here := w.service
		kid, _ := here.SigningKey()
		_, err := here.RetireKey(w.ctx(), w.admin, kid)
		w.must(err)
		w.caughtUp(other)
		w.service = other.service
		if got := kidOf(w, w.activate(a).AccessToken); got == kid {
			t.Error("the retired key signs")
		}
	})
}

func TestKeys_R5_RotateByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newDB(t), rotating)
	rotate := func(atOnce bool) (oauth.KeyInfo, error) {
		return w.service.RotateKey(w.ctx(), w.admin, oauth.KeyRotation{Purpose: oauth.PurposeAccessToken, AtOnce: atOnce})
	}
	before := w.login().AccessToken
	w.clock.add(time.Second)
	ahead, err := rotate(false)
	w.must(err)
	if ahead.State != oauth.KeyPublished || !ahead.SignsFrom.Equal(w.clock.now().Add(day)) {
		t.Errorf("published is %+v", ahead)
	}
	_, err = rotate(false)
	wantProblem(t, err, problem.Conflict)
	w.wantStates(oauth.KeySigning, oauth.KeyPublished)
	now, err := rotate(true)
	w.must(err)
	if kid := kidOf(w, w.login().AccessToken); now.State != oauth.KeySigning || kid != now.ID {
		t.Errorf("%s signs, made was %+v", kid, now)
	}
	w.wantAlive(before, true)
	_, err = w.service.RotateKey(w.ctx(), w.admin, oauth.KeyRotation{Purpose: "else"})
	wantProblem(t, err, problem.BadRequest)
	w.wantStates(oauth.KeyVerifying, oauth.KeySigning, oauth.KeyPublished)

	// Who published waits for nothing: of a retired successor another is made.
	_, err = w.service.RetireKey(w.ctx(), w.admin, ahead.ID)
	w.must(err)
	w.wantStates(oauth.KeyVerifying, oauth.KeySigning, oauth.KeyRetired)
}

// A site that is told to sign otherwise publishes such a key, signs with it when
// verifiers can know it, and verifies what was signed before.
func TestKeys_R5_RS256(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, rotating)
		before := w.activate(w.newAccount()).AccessToken
		w.policy.Keys.Algorithm = oauth.RS256
		w.service = w.newService(db.OAuth())
		w.wantStates(oauth.KeySigning) // cells that disagree do not make keys against each other
		w.clock.add(time.Hour)
		w.keep()
		w.wantStates(oauth.KeySigning, oauth.KeyPublished)
		w.clock.add(day)
		w.keep()
		after := w.login().AccessToken
		f := headerOf(w, after)
		if f["alg"] != oauth.RS256 || f["kid"] != w.keys()[1].ID {
			t.Errorf("the header is %v", f)
		}
		for _, token := range []secret.Text{before, after} {
			w.wantAlive(token, true)
		}
	})
}
