package services

import "time"

// DefinitionID identifies a service definition: a UUID, the same at every site for
// those that ship with us.
type DefinitionID string

// Permission is what a service role or a custom role lets its holder do in a
// service, as prefix:name (aoa:dashboards).
type Permission string

// Definition is a kind of service: the permissions that there are, the roles that
// bundle them, and which call needs which. It is data, and the provider's.
type Definition struct {
	ID          DefinitionID     `yaml:"id" json:"id"`
	Version     int              `yaml:"version" json:"version"` // of one that ships with us: a newer one replaces an older one
	Name        string           `yaml:"name" json:"name"`       // of the product, unique at the site
	Description string           `yaml:"description" json:"description"`
	Prefix      string           `yaml:"prefix" json:"prefix"` // before the colon of each permission and role
	Permissions []PermissionInfo `yaml:"permissions" json:"permissions"`
	Roles       []ServiceRole    `yaml:"roles" json:"roles"`
	Routes      []Route          `yaml:"routes" json:"routes"`
	BuiltIn     bool             `yaml:"-" json:"builtIn"` // ships with us, and is replaced by newer versions
	UpdatedAt   time.Time        `yaml:"-" json:"updatedAt"`
}

// PermissionInfo is a permission as people read of it.
type PermissionInfo struct {
	Name        Permission `yaml:"name" json:"name"`
	DisplayName string     `yaml:"displayName" json:"displayName"`
	Description string     `yaml:"description" json:"description"`
}

// ServiceRole is a role that a service offers; organizations cannot change it.
type ServiceRole struct {
	Name        string       `yaml:"name" json:"name"`
	DisplayName string       `yaml:"displayName" json:"displayName"`
	Description string       `yaml:"description" json:"description"`
	Permissions []Permission `yaml:"permissions" json:"permissions"`
	All         bool         `yaml:"all" json:"all"` // every permission there is, also of a newer version
}

// Route says what a call needs. In Path, {name} stands for one segment and a last *
// for everything below; paths begin where the instance does. The first that fits
// counts, and a call without one is refused.
type Route struct {
	Methods    []string   `yaml:"methods" json:"methods"`
	Path       string     `yaml:"path" json:"path"`
	Permission Permission `yaml:"permission" json:"permission"`
	// People need no permission for it, only a role in the instance: it is one of the
	// tasks that everybody has by default. Apps do need it (CSP-5).
	People bool `yaml:"people" json:"people,omitempty"`
}
