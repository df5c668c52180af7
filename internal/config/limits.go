package config

import (
	"reflect"
	"time"

	"causeway/ratelimit"
)

// Limits says how often something may be asked. A bucket that is left out keeps
// its default; ratelimit/README.md lists them and says what each protects.
type Limits struct {
	// Buckets kept for each kind of each limit; the tables never grow beyond,
	// and one offender cannot push another out.
	MaxKeys int `yaml:"max_keys" default:"65536" min:"1024" max:"1000000"`

	// Cells of this site among which site-wide budgets, those of user codes and
	// quotas are divided; the others hold for each cell. 0 is as many as live, which
	// every cell sees in the database. A number is kept whatever lives.
	Cells int `yaml:"cells" default:"0" min:"0" max:"1000"`

	DeviceAuthorization DeviceLimits       `yaml:"device_authorization"`
	UserCode            UserCodeLimits     `yaml:"user_code"`
	Login               LoginLimits        `yaml:"login"`
	TokenPoll           TokenPollLimits    `yaml:"token_poll"`
	TokenFailure        TokenFailureLimits `yaml:"token_failure"`
	TokenRefresh        TokenRefreshLimits `yaml:"token_refresh"`
	Management          ManagementLimits   `yaml:"management"`
	Crossing            CrossingLimits     `yaml:"crossing"`
	CrossingFailure     FailureLimits      `yaml:"crossing_failure"`
	Introspection       PeerLimits         `yaml:"introspection"`
}

// Budget is what one bucket holds and how fast it fills.
type Budget struct {
	// Calls that come back in each period. 0 keeps the bucket's default.
	Tokens int `yaml:"tokens" min:"0" max:"1000000"`
	// The period.
	Per time.Duration `yaml:"per" min:"0s" max:"24h"`
	// Calls at once after a quiet time; 0 is as many as tokens.
	Burst int `yaml:"burst" min:"0" max:"1000000"`
}

// DeviceLimits guard the one endpoint that must answer strangers.
type DeviceLimits struct {
	// One IPv4 address or IPv6 /64.
	Source Budget `yaml:"source"`
	// One IPv4 /24 or IPv6 /48.
	Network Budget `yaml:"network"`
	// One client_id from one source.
	ClientAtSource Budget `yaml:"client_at_source"`
	// One client_id, whether it exists or not.
	Client Budget `yaml:"client"`
	// One organization.
	Org Budget `yaml:"org"`
	// The whole site: a flood from everywhere meets this one.
	Site Budget `yaml:"site"`
}

// UserCodeLimits count look-ups of user codes that found nothing.
type UserCodeLimits struct {
	// One person.
	Account Budget `yaml:"account"`
	// One organization.
	Org Budget `yaml:"org"`
}

// LoginLimits count logins with a wrong password.
type LoginLimits struct {
	// One source, all its users.
	Source Budget `yaml:"source"`
	// One network.
	Network Budget `yaml:"network"`
	// One user from one source.
	AccountAtSource Budget `yaml:"account_at_source"`
	// One user, from anywhere.
	Account Budget `yaml:"account"`
	// The whole site, right or wrong: each costs a slow hash.
	Site Budget `yaml:"site"`
}

// TokenPollLimits count polls with a device code that nobody has answered.
type TokenPollLimits struct {
	// One device request: others of the same client_id have their own.
	Request Budget `yaml:"request"`
}

// TokenFailureLimits count token requests that were refused, and calls of the API
// by opaque tokens that nobody was given. Who shows a good token to the token
// endpoint is never made to wait for strangers.
type TokenFailureLimits struct {
	// One source.
	Source Budget `yaml:"source"`
	// One network.
	Network Budget `yaml:"network"`
}

// TokenRefreshLimits count refreshes by who holds a good refresh token.
type TokenRefreshLimits struct {
	// One service account or API token.
	Account Budget `yaml:"account"`
	// One organization, all of them.
	Org Budget `yaml:"org"`
}

// ManagementLimits count calls of the API that are not for a service.
type ManagementLimits struct {
	// One user or service account.
	Account Budget `yaml:"account"`
	// One organization, all its principals.
	Org Budget `yaml:"org"`
	// The whole site; off by default.
	Site Budget `yaml:"site"`
}

// CrossingLimits count requests to and from other sites, at both.
type CrossingLimits struct {
	// One organization and one other site.
	OrgAtPeer Budget `yaml:"org_at_peer"`
	// One other site.
	Peer Budget `yaml:"peer"`
}

// FailureLimits count requests from other sites that speak for nobody here. Beyond
// them all of that organization's, or site's, are refused for a moment.
type FailureLimits struct {
	// One organization of another site.
	OrgAtPeer Budget `yaml:"org_at_peer"`
	// One other site.
	Peer Budget `yaml:"peer"`
}

// PeerLimits count what other sites ask about tokens of this one.
type PeerLimits struct {
	// One other site.
	Peer Budget `yaml:"peer"`
}

// Budgets are the buckets that somebody set, as package ratelimit wants them.
func (l Limits) Budgets() ratelimit.Limits {
	all := ratelimit.Limits{}
	limits := reflect.ValueOf(l)
	for i := range limits.NumField() {
		group := limits.Field(i)
		if group.Kind() != reflect.Struct {
			continue
		}
		buckets := map[ratelimit.Kind]ratelimit.Budget{}
		for j := range group.NumField() {
			b, _ := group.Field(j).Interface().(Budget)
			if b.Tokens != 0 {
				kind := ratelimit.Kind(group.Type().Field(j).Tag.Get("yaml"))
				buckets[kind] = ratelimit.Budget{Tokens: b.Tokens, Per: b.Per, Burst: b.Burst}
			}
		}
		if len(buckets) > 0 {
			all[ratelimit.Name(limits.Type().Field(i).Tag.Get("yaml"))] = buckets
		}
	}
	return all
}

// checkLimits leaves what budgets mean together to the package that uses them.
func checkLimits(c *Config, say report) {
	err := ratelimit.Config{Limits: c.Limits.Budgets(), MaxKeys: c.Limits.MaxKeys, Cells: c.Limits.Cells}.Validate()
	if err != nil {
		say("limits", err.Error())
	}
}
