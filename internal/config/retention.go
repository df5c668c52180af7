package config

import "time"

// Retention is how long is kept what is over. It is removed afterwards, a few
// rows at a time, by one cell; what is live is never touched. Changes of accounts,
// rights and keys are not here: the journal keeps them for good.
type Retention struct {
	// Time between two clean-ups, a tenth more or less.
	Interval time.Duration `yaml:"interval" default:"10m" min:"1m" max:"24h"`
	// Device requests, after they expired: until then an app that asks is told
	// what became of its request.
	DeviceRequests time.Duration `yaml:"device_requests" default:"24h" min:"1h" max:"8760h"`
	// Sessions, after they ended, expired, or were idle for too long.
	Sessions time.Duration `yaml:"sessions" default:"24h" min:"1h" max:"8760h"`
	// Revoked refresh tokens: so long whoever shows one is told when it was
	// revoked, afterwards only that it is not valid.
	RevokedTokens time.Duration `yaml:"revoked_tokens" default:"720h" min:"1h" max:"87600h"`
	// Spent refresh tokens of accounts that are active: so long whoever shows one
	// is noticed as a thief. The last two of an account are kept in any case.
	UsedTokens time.Duration `yaml:"used_tokens" default:"8760h" min:"720h" max:"87600h"`
	// Tasks, after they ended.
	Tasks time.Duration `yaml:"tasks" default:"2160h" min:"1h" max:"87600h"`
	// Accounts inside of service instances, after they ended and the instance knew.
	InstanceAccounts time.Duration `yaml:"instance_accounts" default:"2160h" min:"24h" max:"87600h"`
	// Token events and refusals, after they were sealed into the journal, which
	// keeps the seals.
	Events time.Duration `yaml:"events" default:"2160h" min:"24h" max:"87600h"`
}
