package store

import (
	"encoding/json"

	"gorm.io/gorm"

	"causeway/internal/problem"
	"causeway/oauth/apps"
	"causeway/tenants"
)

type appRow struct {
	OrgID         string `gorm:"primaryKey"`
	ID            string `gorm:"primaryKey"`
	DisplayName   string
	Description   string
	Settings      string
	SecretDigest  []byte
	SecretVersion int64
	OldDigest     []byte
	OldUntil      int64
	CreatedAt     int64 `gorm:"autoCreateTime:false"`
	CreatedBy     string
	UpdatedAt     int64 `gorm:"autoUpdateTime:false"`
	UpdatedBy     string
}

func (appRow) TableName() string { return "apps" }

func newAppRow(a apps.App) (appRow, error) {
	settings, err := json.Marshal(newAppDocument(a.Settings))
	return appRow{
		OrgID: string(a.Org), ID: string(a.ID), DisplayName: a.DisplayName, Description: a.Description, Settings: string(settings),
		SecretDigest: notNull(a.Secret.Digest), SecretVersion: a.Secret.Version,
		OldDigest: notNull(a.Secret.Old), OldUntil: micros(a.Secret.OldUntil),
		CreatedAt: micros(a.CreatedAt), CreatedBy: a.CreatedBy, UpdatedAt: micros(a.UpdatedAt), UpdatedBy: a.UpdatedBy,
	}, err
}

func (r appRow) app() (apps.App, error) {
	settings, err := appSettings(r.Settings)
	return apps.App{
		ID: apps.ID(r.ID), Org: tenants.OrgID(r.OrgID), DisplayName: r.DisplayName, Description: r.Description, Settings: settings,
		Secret: apps.Secret{
			Digest: orNil(r.SecretDigest), Version: r.SecretVersion, Old: orNil(r.OldDigest), OldUntil: fromMicros(r.OldUntil),
		},
		CreatedAt: fromMicros(r.CreatedAt), CreatedBy: r.CreatedBy, UpdatedAt: fromMicros(r.UpdatedAt), UpdatedBy: r.UpdatedBy,
	}, err
}

func (r *reader) app(q *gorm.DB) (apps.App, error) {
	var row appRow
	if err := take(q, &row); err != nil {
		return apps.App{}, err
	}
	return row.app()
}

// AppByID takes what anybody may send.
func (r *reader) AppByID(id apps.ID) (apps.App, error) {
	return r.app(r.db.Where("id = ?", clean(string(id))))
}

func (r *reader) App(owner tenants.OrgID, id apps.ID) (apps.App, error) {
	return r.app(r.of(owner).Where("id = ?", clean(string(id))))
}

func (r *reader) Apps(owner tenants.OrgID, q tenants.Query) ([]apps.App, int, error) {
	rows, total, err := page[appRow](r, listing{
		base: "SELECT * FROM apps WHERE org_id = ?", args: []any{string(owner)},
		columns: "id, display_name, description, created_at, updated_at",
		hidden:  "org_id, settings, secret_digest, secret_version, old_digest, old_until, created_by, updated_by",
		order:   "display_name, id", unique: "id",
	}, q)
	if err != nil {
		return nil, 0, err
	}
	list, err := convertAll(rows, appRow.app)
	return list, total, err
}

// CreateApp takes the id first: of two at once one waits for the other, and then
// finds it taken.
func (t *tx) CreateApp(a apps.App) error {
	row, err := newAppRow(a)
	if err != nil {
		return err
	}
	n, err := t.exec("INSERT INTO app_ids (id, taken_at) VALUES (?, ?) ON CONFLICT (id) DO NOTHING", row.ID, row.CreatedAt)
	if err != nil {
		return err
	}
	if n == 0 {
		return problem.New(problem.Conflict, "An app has, or had, this id.")
	}
	return t.create(&row)
}

func (t *tx) LockApp(owner tenants.OrgID, id apps.ID) error {
	return take(forUpdate(t.of(owner)).Where("id = ?", clean(string(id))), &appRow{})
}

func (t *tx) UpdateApp(a apps.App) error {
	row, err := newAppRow(a)
	if err != nil {
		return err
	}
	return t.must(t.of(a.Org).Model(&appRow{}).Where("id = ?", row.ID).
		Select("display_name", "description", "settings", "secret_digest", "secret_version", "old_digest", "old_until", "updated_at", "updated_by").
		UpdateColumns(&row))
}

func (t *tx) DeleteApp(owner tenants.OrgID, id apps.ID) error {
	if err := t.LockApp(owner, id); err != nil {
		return err
	}
	if err := t.expel(appsByID, string(id)); err != nil {
		return err
	}
	return t.must(t.of(owner).Where("id = ?", string(id)).Delete(&appRow{}))
}
