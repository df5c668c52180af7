package store

import (
	"causeway/internal/problem"
	"causeway/tenants"
)

type userRow struct {
	OrgID        string `gorm:"primaryKey"`
	ID           string `gorm:"primaryKey"`
	Name         string
	FullName     string
	RoleID       string
	Enabled      bool
	PasswordHash string
	CreatedAt    int64 `gorm:"autoCreateTime:false"`
}

func (userRow) TableName() string { return "users" }

func (r userRow) user() tenants.User {
	return tenants.User{
		ID: tenants.UserID(r.ID), Org: tenants.OrgID(r.OrgID), Name: r.Name, FullName: r.FullName,
		Role: tenants.RoleID(r.RoleID), Enabled: r.Enabled, PasswordHash: r.PasswordHash, CreatedAt: fromMicros(r.CreatedAt),
	}
}

func (r *reader) User(org tenants.OrgID, id tenants.UserID) (tenants.User, error) {
	var row userRow
	err := take(r.of(org).Where("id = ?", string(id)), &row)
	return row.user(), err
}

// UserByName folds name: people type their login as they like.
func (r *reader) UserByName(org tenants.OrgID, name string) (tenants.User, error) {
	var row userRow
	err := take(r.of(org).Where("name = ?", clean(tenants.FoldName(name))), &row)
	return row.user(), err
}

func (t *tx) CreateUser(u tenants.User) error {
	if u.Name != tenants.FoldName(u.Name) {
		return problem.New(problem.BadRequest, "A user's name is in lower case.")
	}
	return t.create(&userRow{
		OrgID: string(u.Org), ID: string(u.ID), Name: u.Name, FullName: u.FullName, RoleID: string(u.Role),
		Enabled: u.Enabled, PasswordHash: u.PasswordHash, CreatedAt: micros(u.CreatedAt),
	})
}
