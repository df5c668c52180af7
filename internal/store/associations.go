package store

import (
	"net/netip"
	"strings"

	"gorm.io/gorm/clause"

	"causeway/federation"
	"causeway/internal/problem"
	"causeway/tenants"
)

type siteRow struct {
	One       int `gorm:"primaryKey;autoIncrement:false"`
	ID        string
	Name      string
	Root      []byte
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	BundleSeq uint64
}

func (siteRow) TableName() string { return "site" }

type siteAssociationRow struct {
	SiteID                  string `gorm:"primaryKey"`
	Name                    string
	RestEndpoint            string
	BaseUIEndpoint          string `gorm:"column:base_ui_endpoint"`
	RestEndpointCertificate string
	PublicKey               string
	NextKey                 string
	Bundle                  string
	BundleSeq               uint64
	Allowed                 string
	Status                  string
	Reason                  string
	StatusAt                int64
	ContactedAt             int64
	DirSeq                  int64
	CreatedAt               int64 `gorm:"autoCreateTime:false"`
}

func (siteAssociationRow) TableName() string { return "site_associations" }

func (r siteAssociationRow) association() federation.SiteAssociation {
	return federation.SiteAssociation{
		Site: tenants.SiteID(r.SiteID), Name: r.Name, RestEndpoint: r.RestEndpoint, BaseUIEndpoint: r.BaseUIEndpoint,
		RestEndpointCertificate: r.RestEndpointCertificate, PublicKey: r.PublicKey, NextKey: r.NextKey,
		Bundle: r.Bundle, BundleSeq: r.BundleSeq, Allowed: networks(r.Allowed),
		Status: federation.Status(r.Status), Reason: r.Reason, StatusAt: fromMicros(r.StatusAt),
		ContactedAt: fromMicros(r.ContactedAt), DirSeq: r.DirSeq, CreatedAt: fromMicros(r.CreatedAt),
	}
}

func newSiteAssociationRow(a federation.SiteAssociation) siteAssociationRow {
	return siteAssociationRow{
		SiteID: string(a.Site), Name: a.Name, RestEndpoint: a.RestEndpoint, BaseUIEndpoint: a.BaseUIEndpoint,
		RestEndpointCertificate: a.RestEndpointCertificate, PublicKey: a.PublicKey, NextKey: a.NextKey,
		Bundle: a.Bundle, BundleSeq: a.BundleSeq, Allowed: fromNetworks(a.Allowed),
		Status: string(a.Status), Reason: a.Reason, StatusAt: micros(a.StatusAt),
		ContactedAt: micros(a.ContactedAt), DirSeq: a.DirSeq, CreatedAt: micros(a.CreatedAt),
	}
}

// networks are written with commas between them. What cannot be read allows
// nothing, rather than everything.
func networks(text string) []netip.Prefix {
	if text == "" {
		return nil
	}
	list := []netip.Prefix{}
	for part := range strings.SplitSeq(text, ",") {
		p, _ := netip.ParsePrefix(part)
		list = append(list, p)
	}
	return list
}

func fromNetworks(list []netip.Prefix) string {
	return strings.Join(convert(list, netip.Prefix.String), ",")
}

type orgAssociationRow struct {
	OrgID         string `gorm:"primaryKey"`
	RemoteOrgID   string `gorm:"primaryKey"`
	RemoteName    string
	SiteID        string
	PublicKey     string
	MapUsers      bool
	Direct        bool
	RemoteEnabled bool
	Status        string
	Reason        string
	StatusAt      int64
	CreatedAt     int64 `gorm:"autoCreateTime:false"`
}

func (orgAssociationRow) TableName() string { return "org_associations" }

func (r orgAssociationRow) association() federation.OrgAssociation {
	return federation.OrgAssociation{
		Local: tenants.OrgID(r.OrgID), Remote: tenants.OrgID(r.RemoteOrgID), RemoteName: r.RemoteName,
		Site: tenants.SiteID(r.SiteID), PublicKey: r.PublicKey, MapUsers: r.MapUsers, Direct: r.Direct, RemoteEnabled: r.RemoteEnabled,
		Status: federation.Status(r.Status), Reason: r.Reason, StatusAt: fromMicros(r.StatusAt), CreatedAt: fromMicros(r.CreatedAt),
	}
}

func newOrgAssociationRow(a federation.OrgAssociation) orgAssociationRow {
	return orgAssociationRow{
		OrgID: string(a.Local), RemoteOrgID: string(a.Remote), RemoteName: a.RemoteName, SiteID: string(a.Site),
		PublicKey: a.PublicKey, MapUsers: a.MapUsers, Direct: a.Direct, RemoteEnabled: a.RemoteEnabled,
		Status: string(a.Status), Reason: a.Reason, StatusAt: micros(a.StatusAt), CreatedAt: micros(a.CreatedAt),
	}
}

type orgKeyRow struct {
	OrgID  string `gorm:"primaryKey"`
	Sealed []byte
}

func (orgKeyRow) TableName() string { return "org_keys" }

func (r *reader) Self() (federation.Self, error) {
	var row siteRow
	err := take(r.db.Where("one = 1"), &row)
	return federation.Self{ID: tenants.SiteID(row.ID), Name: row.Name, Root: row.Root, CreatedAt: fromMicros(row.CreatedAt), BundleSeq: row.BundleSeq}, err
}

func (r *reader) SiteAssociation(site tenants.SiteID) (federation.SiteAssociation, error) {
	var row siteAssociationRow
	err := take(r.db.Where("site_id = ?", string(site)), &row)
	return row.association(), err
}

// SiteAssociations lists by name.
func (r *reader) SiteAssociations() ([]federation.SiteAssociation, error) {
	var rows []siteAssociationRow
	err := fault(r.db.Order("name, site_id").Find(&rows).Error)
	return convert(rows, siteAssociationRow.association), err
}

// An organization of this site is called what it is called now; the name in the row
// is what it was when the association was made.
const (
	remoteName = "COALESCE(n.name, a.remote_name) AS remote_name"
	nameInside = " LEFT JOIN organizations n ON n.id = a.remote_org_id AND a.site_id = (SELECT id FROM site WHERE one = 1)"

	heldOrgAssociations = `SELECT a.org_id, a.remote_org_id, ` + remoteName + `, a.site_id, a.public_key, a.map_users, a.direct, a.remote_enabled,
	a.status, a.reason, a.status_at, a.created_at FROM org_associations a` + nameInside + ` WHERE a.org_id = ?`
)

// OrgAssociations lists by the remote organization's name.
func (r *reader) OrgAssociations(local tenants.OrgID) ([]federation.OrgAssociation, error) {
	var rows []orgAssociationRow
	err := fault(r.db.Raw(heldOrgAssociations+" ORDER BY 3, 2, 4", string(local)).Find(&rows).Error)
	return convert(rows, orgAssociationRow.association), err
}

func (r *reader) OrgAssociation(local tenants.OrgID, remote tenants.LocationID) (federation.OrgAssociation, error) {
	var row orgAssociationRow
	err := take(r.db.Raw(heldOrgAssociations+" AND a.remote_org_id = ? AND a.site_id = ?", string(local), string(remote.Org), string(remote.Site)), &row)
	return row.association(), err
}

func (r *reader) OrgKey(org tenants.OrgID) ([]byte, error) {
	var row orgKeyRow
	err := take(r.of(org), &row)
	return row.Sealed, err
}

// CreateSelf is problem.Conflict when there is a site already.
func (t *tx) CreateSelf(s federation.Self) error {
	return once("This site has its identity already.",
		t.create(&siteRow{One: 1, ID: string(s.ID), Name: s.Name, Root: s.Root, CreatedAt: micros(s.CreatedAt), BundleSeq: s.BundleSeq}))
}

func (t *tx) PutSiteAssociation(a federation.SiteAssociation) error {
	row := newSiteAssociationRow(a)
	return t.put(&row, "site_id")
}

func (t *tx) PutOrgAssociation(a federation.OrgAssociation) error {
	row := newOrgAssociationRow(a)
	return t.put(&row, "org_id", "remote_org_id", "site_id")
}

func (t *tx) CreateOrgKey(org tenants.OrgID, sealed []byte) error {
	return once("The organization has its key already.", t.create(&orgKeyRow{OrgID: string(org), Sealed: sealed}))
}

// put inserts a row or replaces all of it.
func (t *tx) put(row any, key ...string) error {
	on := clause.OnConflict{UpdateAll: true}
	for _, k := range key {
		on.Columns = append(on.Columns, clause.Column{Name: k})
	}
	_, err := t.wrote(t.db.Clauses(on).Create(row))
	return err
}

// once turns a duplicate into a conflict: what exists is not a name.
func once(detail string, err error) error {
	if problem.Has(err, problem.DuplicateName) {
		return problem.Wrap(err, problem.Conflict, detail)
	}
	return err
}
