// Package apps owns server-to-server apps: who may make and manage them, their
// secrets, which organizations added them, and the access tokens that they get for
// their secret (RFC 6749 §4.4). Which roles mean what in a service is for services
// to say; how tokens are signed is for oauth.
package apps

import (
	"time"

	"causeway/oauth"
	"causeway/services"
	"causeway/tenants"
)

// ID is an app's client id: 5 to 256 characters of A-Za-z0-9_-, unique at the site
// and never given out again.
type ID string

// App is a server-to-server app, of the organization that made it.
type App struct {
	ID          ID
	Org         tenants.OrgID // owner; fixed
	DisplayName string
	Description string
	Settings
	Secret    Secret
	CreatedAt time.Time
	CreatedBy string
	UpdatedAt time.Time
	UpdatedBy string
}

// Settings are what the owner says about an app.
type Settings struct {
	GrantTypes []string         `json:"grantTypes"`
	Ceiling    services.Ceiling `json:"ceiling"`
	AccessTTL  time.Duration    `json:"accessTtl"` // of access tokens, 1 to 300 minutes
	RefreshTTL time.Duration    `json:"refreshTtl"`
	// OwnerOnlyRotation keeps the secret from everybody but Organization Owners.
	OwnerOnlyRotation bool          `json:"ownerOnlySecretRotation"`
	RotationOverlap   time.Duration `json:"rotationOverlap"` // how long an old secret works beside a new one; zero is the default
	// Echo is what clients set, and get back, that means nothing here.
	Echo map[string]any `json:"echo,omitempty"`
}

// Secret is what stands for an app's secrets.
type Secret struct {
	Digest  oauth.Digest
	Version int64 // counts from 1; a token names the one it was got with
	// Old is the digest of the version before while that works, too.
	Old      oauth.Digest
	OldUntil time.Time
}

// Member is an app that was added to an organization.
type Member struct {
	services.Held
	App     App // of this site; only ID for those of others
	AddedAt time.Time
	AddedBy string
}
