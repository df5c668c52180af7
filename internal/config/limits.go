package config

// Limits says how often something may be asked of the site as a whole; its cells
// share it.
type Limits struct {
	// Sources remembered at once. Each costs about 140 bytes; the table never
	// grows, and one offender cannot push another out.
	Sources int `yaml:"sources" default:"65536" min:"1024" max:"250000"`

	DeviceAuthorization DeviceLimits     `yaml:"device_authorization"`
	UserCode            UserCodeLimits   `yaml:"user_code"`
	Login               LoginLimits      `yaml:"login"`
	Token               TokenLimits      `yaml:"token"`
	Management          ManagementLimits `yaml:"management"`
	Service             ServiceLimits    `yaml:"service"`
	Peer                PeerLimits       `yaml:"peer"`
}

// Rate is a bucket that holds burst and fills by per_minute. In any time t it
// lets burst + t × per_minute through and no more.
type Rate struct {
	// Requests a minute in the long run; fractions are allowed.
	PerMinute float64 `yaml:"per_minute" min:"0.01" max:"1000000"`
	// Requests at once after a quiet time.
	Burst int `yaml:"burst" min:"1" max:"1000000"`
}

// DeviceLimits guard the one endpoint that must answer strangers.
type DeviceLimits struct {
	// One IPv4 address or IPv6 /64.
	PerSource Rate `yaml:"per_source" default:"10/10"`
	// One IPv4 /24 or IPv6 /48: what a single customer of a provider can hold.
	PerNetwork Rate `yaml:"per_network" default:"60/60"`
	// One client_id, whether it exists or not.
	PerClient Rate `yaml:"per_client" default:"10/10"`
	// One organization.
	PerOrganization Rate `yaml:"per_organization" default:"60/60"`
	// The whole site: a flood from everywhere meets this one.
	Site Rate `yaml:"site" default:"600/300"`
}

// UserCodeLimits count look-ups of user codes that found nothing. A code has 35
// bits, so these carry part of its strength.
type UserCodeLimits struct {
	// One person: at most 10 in 10 minutes.
	PerUser Rate `yaml:"per_user" default:"0.5/5"`
	// One organization: at most 60 in an hour.
	PerOrganization Rate `yaml:"per_organization" default:"0.5/30"`
}

// LoginLimits count logins with a password.
type LoginLimits struct {
	// One source, all its users.
	PerSource Rate `yaml:"per_source" default:"30/30"`
	// Failed logins of one user, from anywhere.
	PerUser Rate `yaml:"per_user" default:"5/10"`
}

// TokenLimits count token requests that were refused; who shows a good token is
// never made to wait for strangers.
type TokenLimits struct {
	// One source.
	PerSource Rate `yaml:"per_source" default:"60/60"`
}

// ManagementLimits count calls of the API that are not for a service.
type ManagementLimits struct {
	// One user, account or app.
	PerPrincipal Rate `yaml:"per_principal" default:"600/200"`
	// One organization, all its principals.
	PerOrganization Rate `yaml:"per_organization" default:"6000/2000"`
}

// ServiceLimits count requests to service instances.
type ServiceLimits struct {
	// One user, account or app.
	PerPrincipal Rate `yaml:"per_principal" default:"60000/10000"`
}

// PeerLimits count requests between sites.
type PeerLimits struct {
	// One organization at one other site.
	PerOrganization Rate `yaml:"per_organization" default:"6000/1000"`
}
