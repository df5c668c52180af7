package store_test

import (
	"errors"
	"fmt"
	"testing"

	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// What ends sessions leaves those alone that have expired: a site keeps many, and
// writing them all again would take a revocation long.
func TestSessions_R4_ExpiredOnesAreLeftAsTheyAre(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for _, end := range []struct {
			name string
			do   do
		}{
			{"EndSessions", inReader(func(tx tenants.Tx, w *tenant) error { return tx.EndSessions(w.org, now) })},
			{"EndUserSessions", inReader(func(tx tenants.Tx, w *tenant) error { return tx.EndUserSessions(w.org, w.user, "", now) })},
			{"EndSessionsOf", inTokens(func(tx oauth.Tx, w *tenant) error {
				return errors.Join(tx.EndSessionsOf(w.org, tenants.KindUser, string(w.user), now),
					tx.EndSessionsOf(w.org, tenants.KindServiceAccount, string(w.account), now))
			})},
			{"RevokeFamilies", inTokens(func(tx oauth.Tx, w *tenant) error { return tx.RevokeFamilies(w.org, w.account, now) })},
			{"DeleteServiceAccount", inTokens(func(tx oauth.Tx, w *tenant) error { return tx.DeleteServiceAccount(w.org, w.account, now) })},
			{"DeleteAPIToken", inTokens(func(tx oauth.Tx, w *tenant) error { return tx.DeleteAPIToken(w.token, now) })},
		} {
			w := newTenant(t, db, end.name)
			user := w.newTokenSession()
			user.Kind, user.Family = tenants.KindUser, ""
			for _, s := range []oauth.Session{w.newSession(), w.newTokenSession(), user} {
				s.ExpiresAt = now
				s.ID = newID[tenants.SessionID]()
				inOAuth(t, db, func(tx oauth.Tx) error { return tx.CreateSession(s) })
			}
			ok(t, call{end.name, end.do}.run(t, db, w.org, w))
			if n := count(t, db, "sessions", fmt.Sprintf("org_id = '%s' AND ended_at = 0 AND expires_at = %d", w.org, now.UnixMicro())); n != 3 {
				t.Errorf("%s writes %d sessions that have expired", end.name, 3-n)
			}
		}
	})
}
