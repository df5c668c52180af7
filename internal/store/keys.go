package store

import (
	"time"

	"causeway/oauth"
)

type signingKeyRow struct {
	ID         string `gorm:"primaryKey"`
	Purpose    string
	Algorithm  string
	PublicKey  []byte
	PrivateKey []byte
	CreatedAt  int64 `gorm:"autoCreateTime:false"`
	SignsFrom  int64
	RetiredAt  int64
}

func (signingKeyRow) TableName() string { return "signing_keys" }

func (r signingKeyRow) key() oauth.SigningKey {
	return oauth.SigningKey{
		ID: r.ID, Purpose: oauth.Purpose(r.Purpose), Algorithm: r.Algorithm, Public: r.PublicKey, Private: r.PrivateKey,
		CreatedAt: fromMicros(r.CreatedAt), SignsFrom: fromMicros(r.SignsFrom), RetiredAt: fromMicros(r.RetiredAt),
	}
}

// SigningKeys lists the oldest first.
func (r *reader) SigningKeys() ([]oauth.SigningKey, error) {
	var rows []signingKeyRow
	err := fault(r.db.Order("created_at, id").Find(&rows).Error)
	return convert(rows, signingKeyRow.key), err
}

// LockSigningKeys has nothing to do on SQLite, where one transaction writes at a
// time. There may be no row yet to hold.
func (t *tx) LockSigningKeys() error {
	if !t.onPostgres() {
		return nil
	}
	_, err := t.exec(lockFairly, "signing keys")
	return err
}

func (t *tx) CreateSigningKey(k oauth.SigningKey) error {
	return t.create(&signingKeyRow{
		ID: k.ID, Purpose: string(k.Purpose), Algorithm: k.Algorithm, PublicKey: k.Public, PrivateKey: k.Private,
		CreatedAt: micros(k.CreatedAt), SignsFrom: micros(k.SignsFrom), RetiredAt: micros(k.RetiredAt),
	})
}

func (t *tx) EraseSigningKey(id string) error {
	_, err := t.exec(`UPDATE signing_keys SET private_key = ? WHERE id = ?`, blob{}, id)
	return err
}

func (t *tx) RetireSigningKey(id string, now time.Time) (bool, error) {
	n, err := t.exec(`UPDATE signing_keys SET private_key = ?, retired_at = ? WHERE id = ? AND retired_at = 0`, blob{}, micros(now), id)
	return n == 1, err
}
