package services

import (
	"time"

	"causeway/tenants"
)

// InstanceID identifies a service instance: a UUID.
type InstanceID string

// Mode says whose tokens an instance takes.
type Mode string

// An onboarded instance takes tokens of server-to-server apps and of people; an
// original one knows service accounts of its own and refuses apps (CSP-2, CSP-3).
const (
	Onboarded Mode = "onboarded"
	Original  Mode = "original"
)

// ServiceInstance is one running service of an organization.
type ServiceInstance struct {
	ID         InstanceID
	Org        tenants.OrgID
	Definition DefinitionID
	Name       string // unique in its organization
	Mode       Mode
	Prefix     string   // path before its own, as /name; empty: by host alone
	Hosts      []string // lower case, without a port; each is one instance's
	Enabled    bool
	InstanceSettings
	HookSecret []byte // sealed; empty without a hook
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// InstanceSettings are how an instance is reached. Only providers set them.
type InstanceSettings struct {
	Upstreams []string      `json:"upstreams"` // http or https URLs without a query
	Health    HealthCheck   `json:"health"`
	Timeout   time.Duration `json:"timeout"` // to the first byte of an answer; zero is the default
	HookURL   string        `json:"hookUrl"` // told of accounts that begin and end; empty: nobody
}

// HealthCheck asks an upstream whether it is well. Without a path there is none, and
// answers to requests alone tell.
type HealthCheck struct {
	Path      string        `json:"path"`
	Interval  time.Duration `json:"interval"`  // zero is the default
	Timeout   time.Duration `json:"timeout"`   // zero is the default
	Healthy   int           `json:"healthy"`   // good answers in a row that bring it back
	Unhealthy int           `json:"unhealthy"` // bad ones in a row that take it out
}
