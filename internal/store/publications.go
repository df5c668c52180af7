package store

import (
	"slices"

	"gorm.io/gorm/clause"

	"causeway/tenants"
)

type publicationRow struct {
	ID          string `gorm:"primaryKey"`
	Kind        string
	Name        string
	Description string
	BundleKey   string
	ReadOnly    bool
	PublishAll  bool
}

func (publicationRow) TableName() string { return "publications" }

type publicationRightRow struct {
	PublicationID string `gorm:"primaryKey"`
	RightName     string `gorm:"primaryKey"`
}

func (publicationRightRow) TableName() string { return "publication_rights" }

type publicationTenantRow struct {
	OrgID         string `gorm:"primaryKey"`
	PublicationID string `gorm:"primaryKey"`
}

func (publicationTenantRow) TableName() string { return "publication_tenants" }

func (r publicationRow) publication() tenants.Publication {
	return tenants.Publication{
		Kind: tenants.PublicationKind(r.Kind), ID: tenants.PublicationID(r.ID), Name: r.Name, Description: r.Description,
		BundleKey: r.BundleKey, ReadOnly: r.ReadOnly, PublishAll: r.PublishAll,
	}
}

func (r *reader) PublishedRights(org tenants.OrgID) (rights []tenants.Right, err error) {
	err = r.db.Raw(`SELECT DISTINCT g.right_name FROM publications r JOIN publication_rights g ON g.publication_id = r.id
		WHERE r.kind = 'rightsBundle' AND `+published, string(org), string(org)).Find(&rights).Error
	return rights, fault(err)
}

func (r *reader) Publication(kind tenants.PublicationKind, id tenants.PublicationID) (tenants.Publication, error) {
	var row publicationRow
	if err := take(r.db.Where("kind = ? AND id = ?", string(kind), string(id)), &row); err != nil {
		return tenants.Publication{}, err
	}
	p := row.publication()
	err := r.db.Raw("SELECT right_name FROM publication_rights WHERE publication_id = ? ORDER BY right_name", row.ID).Find(&p.Rights).Error
	return p, fault(err)
}

func (r *reader) Publications(kind tenants.PublicationKind, q tenants.Query) ([]tenants.Publication, int, error) {
	rows, total, err := page[publicationRow](r, listing{
		base: "SELECT * FROM publications WHERE kind = ?", args: []any{string(kind)},
		columns: "id, name, description, read_only, publish_all", hidden: "kind, bundle_key",
		order: "name", unique: "name",
	}, q)
	return convert(rows, publicationRow.publication), total, err
}

// PublicationTenants lists every tenant where it is published to all.
func (r *reader) PublicationTenants(kind tenants.PublicationKind, id tenants.PublicationID, q tenants.Query) ([]tenants.Organization, int, error) {
	rows, total, err := page[organizationRow](r, listing{
		base: `SELECT o.id, o.name, o.name_folded FROM publications p JOIN organizations o
			ON o.id <> '` + string(tenants.SystemOrgID) + `' AND (p.publish_all
				OR EXISTS (SELECT 1 FROM publication_tenants t WHERE t.publication_id = p.id AND t.org_id = o.id))
			WHERE p.kind = ? AND p.id = ?`,
		args:    []any{string(kind), string(id)},
		columns: "id, name", hidden: "name_folded", order: "name_folded", unique: "id",
	}, q)
	return convert(rows, func(r organizationRow) tenants.Organization {
		return tenants.Organization{ID: tenants.OrgID(r.ID), Name: r.Name}
	}), total, err
}

func (t *tx) CreatePublication(p tenants.Publication) error {
	row := publicationRow{
		ID: string(p.ID), Kind: string(p.Kind), Name: p.Name, Description: p.Description,
		BundleKey: p.BundleKey, ReadOnly: p.ReadOnly, PublishAll: p.PublishAll,
	}
	if err := t.create(&row); err != nil {
		return err
	}
	return t.addPublicationRights(p.ID, p.Rights)
}

func (t *tx) LockPublication(kind tenants.PublicationKind, id tenants.PublicationID) error {
	return take(forUpdate(t.db).Where("kind = ? AND id = ?", string(kind), string(id)), &publicationRow{})
}

func (t *tx) UpdatePublication(p tenants.Publication) error {
	return t.must(t.db.Model(&publicationRow{}).Where("kind = ? AND id = ?", string(p.Kind), string(p.ID)).UpdateColumns(map[string]any{
		"name": p.Name, "description": p.Description, "bundle_key": p.BundleKey, "publish_all": p.PublishAll,
	}))
}

func (t *tx) SetPublicationRights(kind tenants.PublicationKind, id tenants.PublicationID, rights []tenants.Right) error {
	if err := t.LockPublication(kind, id); err != nil {
		return err
	}
	if _, err := t.wrote(t.db.Where("publication_id = ?", string(id)).Delete(&publicationRightRow{})); err != nil {
		return err
	}
	return t.addPublicationRights(id, rights)
}

func (t *tx) addPublicationRights(id tenants.PublicationID, rights []tenants.Right) error {
	var rows []publicationRightRow
	for _, right := range tenants.Distinct(rights) {
		rows = append(rows, publicationRightRow{PublicationID: string(id), RightName: string(right)})
	}
	return createAll(t, rows)
}

func (t *tx) DeletePublication(kind tenants.PublicationKind, id tenants.PublicationID) error {
	if err := t.LockPublication(kind, id); err != nil {
		return err
	}
	if err := t.unheld(string(id)); err != nil {
		return err
	}
	return t.must(t.db.Where("kind = ? AND id = ?", string(kind), string(id)).Delete(&publicationRow{}))
}

func (t *tx) Publish(id tenants.PublicationID, orgs []tenants.OrgID) error {
	var rows []publicationTenantRow
	for _, org := range orgs {
		rows = append(rows, publicationTenantRow{OrgID: string(org), PublicationID: string(id)})
	}
	if len(rows) == 0 {
		return nil
	}
	_, err := t.wrote(t.db.Clauses(clause.OnConflict{DoNothing: true}).CreateInBatches(&rows, perStatement))
	return err
}

func (t *tx) Unpublish(id tenants.PublicationID, orgs []tenants.OrgID) error {
	for chunk := range slices.Chunk(orgs, perStatement) {
		listed := t.db.Where("publication_id = ? AND org_id IN ?", string(id), texts(chunk))
		if _, err := t.wrote(listed.Delete(&publicationTenantRow{})); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) PublishToEach(id tenants.PublicationID) error {
	_, err := t.exec(`INSERT INTO publication_tenants (org_id, publication_id) SELECT o.id, ? FROM organizations o
		WHERE o.id <> '`+string(tenants.SystemOrgID)+`' ON CONFLICT DO NOTHING`, string(id))
	return err
}

func (t *tx) UnpublishFromAll(id tenants.PublicationID) error {
	_, err := t.exec("DELETE FROM publication_tenants WHERE publication_id = ?", string(id))
	return err
}
