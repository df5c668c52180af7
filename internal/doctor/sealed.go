package doctor

import (
	"context"

	"causeway/federation"
	"causeway/federation/links"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/oauth"
)

// unseal opens every root and signing key, and says how many there are.
func unseal(ctx context.Context, db *store.DB, keys *secret.Keys) (opened int, err error) {
	var sealed [][]byte
	err = db.Federation().View(ctx, func(r federation.Reader) error {
		self, err := r.Self()
		if err != nil {
			return err
		}
		rows, err := r.Roots()
		sealed = [][]byte{self.Root} // also where others have followed it
		for _, row := range rows {
			sealed = append(sealed, row.Sealed)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, s := range sealed {
		if len(s) == 0 { // retired
			continue
		}
		if _, err := links.OpenRoot(keys, s); err != nil {
			return 0, err
		}
		opened++
	}
	signing, err := signingKeys(ctx, db)
	for _, k := range signing {
		if len(k.Private) == 0 { // it only verifies
			continue
		}
		if err := oauth.Opens(keys, k); err != nil {
			return 0, err
		}
		opened++
	}
	return opened, err
}

func signingKeys(ctx context.Context, db *store.DB) (keys []oauth.SigningKey, err error) {
	err = db.OAuth().View(ctx, func(r oauth.Reader) error {
		keys, err = r.SigningKeys()
		return err
	})
	return keys, err
}
