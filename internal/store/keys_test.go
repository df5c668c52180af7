package store_test

import (
	"slices"
	"testing"
	"time"

	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
)

// A key is retired once, and takes its private part along.
func TestSigningKeys_R5_EraseAndRetire(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		key := oauth.SigningKey{
			ID: "k", Purpose: "p", Algorithm: "ES256", Public: []byte{1}, Private: []byte{2}, CreatedAt: now, SignsFrom: now.Add(time.Hour),
		}
		other := key
		other.ID = "l"
		get := func(id string) oauth.SigningKey {
			keys := read(t, db, func(r oauth.Reader) ([]oauth.SigningKey, error) { return r.SigningKeys() })
			at := slices.IndexFunc(keys, func(k oauth.SigningKey) bool { return k.ID == id })
			if at < 0 {
				t.Fatalf("no key %q", id)
			}
			return keys[at]
		}
		retire := func(id string, at time.Time) (retired bool) {
			inOAuth(t, db, func(tx oauth.Tx) (err error) {
				if err := tx.LockSigningKeys(); err != nil {
					return err
				}
				retired, err = tx.RetireSigningKey(id, at)
				return err
			})
			return retired
		}
		inOAuth(t, db, func(tx oauth.Tx) error {
			if err := tx.CreateSigningKey(key); err != nil {
				return err
			}
			if err := tx.CreateSigningKey(other); err != nil {
				return err
			}
			return tx.EraseSigningKey("l")
		})
		if l := get("l"); len(l.Private) != 0 || !l.RetiredAt.IsZero() || !l.SignsFrom.Equal(key.SignsFrom) {
			t.Errorf("erased: %+v", l)
		}
		if !retire("k", now) || retire("k", now.Add(time.Hour)) || retire("nobody", now) {
			t.Error("a key that is there is not retired exactly once")
		}
		if k := get("k"); len(k.Private) != 0 || len(k.Public) == 0 || !k.RetiredAt.Equal(now) {
			t.Errorf("retired: %+v", k)
		}
	})
}
