package store

import "causeway/oauth"

type signingKeyRow struct {
	ID         string `gorm:"primaryKey"`
	Algorithm  string
	PublicKey  []byte
	PrivateKey []byte
	CreatedAt  int64 `gorm:"autoCreateTime:false"`
}

func (signingKeyRow) TableName() string { return "signing_keys" }

func (r signingKeyRow) key() oauth.SigningKey {
	return oauth.SigningKey{ID: r.ID, Algorithm: r.Algorithm, Public: r.PublicKey, Private: r.PrivateKey, CreatedAt: fromMicros(r.CreatedAt)}
}

// SigningKeys lists the oldest first.
func (r *reader) SigningKeys() ([]oauth.SigningKey, error) {
	var rows []signingKeyRow
	err := fault(r.db.Order("created_at, id").Find(&rows).Error)
	return convert(rows, signingKeyRow.key), err
}

func (t *tx) CreateSigningKey(k oauth.SigningKey) error {
	return t.create(&signingKeyRow{ID: k.ID, Algorithm: k.Algorithm, PublicKey: k.Public, PrivateKey: k.Private, CreatedAt: micros(k.CreatedAt)})
}
