package config

import (
	"net/netip"
	"time"
)

// Sessions bounds how long an access token is good.
type Sessions struct {
	// A session that nobody used for so long ends.
	IdleTimeout time.Duration `yaml:"idle_timeout" default:"30m" min:"1m" max:"24h"`
	// Life of a session that a person opened with a password.
	UserLifetime time.Duration `yaml:"user_lifetime" default:"24h" min:"5m" max:"24h"`
	// Life of a session that a service account or API token opened; clients
	// are told this as expires_in. 30 days is what VCD gives, and the most.
	TokenLifetime time.Duration `yaml:"token_lifetime" default:"720h" min:"5m" max:"720h"`
	// Life of an API token that a user creates. 0 is until it is deleted.
	APITokenLifetime time.Duration `yaml:"api_token_lifetime" default:"0s" min:"0s" max:"87600h"`
	// API tokens that one user has at once.
	APITokensPerUser int `yaml:"api_tokens_per_user" default:"100" min:"1" max:"10000"`
	// Access tokens that each cell remembers, in a quarter of a kilobyte each and a third
	// of one for each account or person that has any; the one that was not used for
	// longest gives way. One that is not remembered is verified
	// and its session read again, which only takes longer.
	RememberedTokens int `yaml:"remembered_tokens" default:"100000" min:"1000" max:"10000000"`
}

// Device is the device grant (RFC 8628). Its two codes are what a stranger may
// guess at: a longer life and more open requests are more to guess.
type Device struct {
	// How long an administrator has to grant a request.
	CodeLifetime time.Duration `yaml:"code_lifetime" default:"1h" min:"1m" max:"24h"`
	// How long an app waits between two polls; faster ones get slow_down.
	Interval time.Duration `yaml:"interval" default:"60s" min:"1s" max:"10m"`
	// Open requests of one account. One more closes the oldest of the busiest
	// source, so that a stranger cannot keep the account's owner out.
	OutstandingPerAccount int `yaml:"outstanding_per_account" default:"8" min:"1" max:"64"`
	// Open requests of one account from one source address.
	OutstandingPerSource int `yaml:"outstanding_per_source" default:"2" min:"1" max:"64"`
}

// Rotation is how long a refresh token that was used may be shown again, by a
// client that lost the answer. It then gets the same successor once more; any
// other second showing is a theft and revokes the account's tokens.
type Rotation struct {
	// From the source that used it first. 0 allows no retry at all: a lost
	// answer then costs the account its token.
	Window time.Duration `yaml:"window" default:"24h" min:"0s" max:"168h"`
	// From any other source, where a thief may sit. The one that used it has a
	// minute of its own whatever this says, for requests at once.
	ForeignWindow time.Duration `yaml:"foreign_window" default:"60s" min:"0s" max:"5m"`
	// Retries of one token from the source that used it, once its first minute, or
	// the foreign window if that is longer, is over.
	Retries int `yaml:"retries" default:"10" min:"1" max:"100"`
	// How long after the grant an account's tokens can be refreshed; then an
	// administrator has to grant again. 0 is for ever, as in VCD; else an hour at
	// least. An organization can have values of its own for all four.
	MaxAge time.Duration `yaml:"max_age" default:"0s" min:"0s" max:"87600h"`
}

// Administrators is the word for Organization Administrators in AppManagers.
const Administrators = "administrators"

// CSP is the face that clients of VMware Cloud services see below /csp: server-to-
// server apps and what they may do in service instances.
type CSP struct {
	// iss of the tokens given out there. Empty is public.url + /csp/gateway/am/api.
	Issuer string `yaml:"issuer"`
	// Who manages apps beside Organization Owners: Developers with another
	// organization role, or Organization Administrators without that role, too, as
	// one reading of the platform's documents has it.
	AppManagers string `yaml:"app_managers" default:"developers" oneof:"developers administrators"`
	// Life of the access token that a user's API token gets there.
	TokenLifetime time.Duration `yaml:"token_lifetime" default:"30m" min:"1m" max:"5h"`
	// How long the old secret of an app works beside a new one, unless whoever
	// rotates it says otherwise.
	RotationOverlap time.Duration `yaml:"rotation_overlap" default:"48h" min:"1m" max:"720h"`
	// Networks in which service instances and their hooks may be, such as
	// 192.0.2.0/24. None allows public addresses: instances in private networks want
	// their networks named. This host, addresses on its own wire (link-local) and those
	// at which clouds tell secrets are refused unless a named network contains them.
	InstanceNetworks []netip.Prefix `yaml:"instance_networks"`
	// Whether instances and their hooks may be called without TLS, allowed or
	// forbidden. Who is on the way then reads, and can forge, what they are told.
	InstanceHTTP string `yaml:"instance_http" default:"forbidden" oneof:"forbidden allowed"`
}
