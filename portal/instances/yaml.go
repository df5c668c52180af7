package instances

import (
	"github.com/goccy/go-yaml"

	"causeway/services"
)

// document is a definition as people write it: what says nothing is left out.
type document struct {
	ID          services.DefinitionID `yaml:"id"`
	Version     int                   `yaml:"version,omitempty"`
	Name        string                `yaml:"name"`
	Description string                `yaml:"description,omitempty"`
	Prefix      string                `yaml:"prefix"`
	Permissions []permissionEntry     `yaml:"permissions,omitempty"`
	Roles       []roleEntry           `yaml:"roles"`
	Routes      []routeEntry          `yaml:"routes,omitempty"`
}

type permissionEntry struct {
	Name        services.Permission `yaml:"name"`
	DisplayName string              `yaml:"displayName,omitempty"`
	Description string              `yaml:"description,omitempty"`
}

type roleEntry struct {
	Name        string                `yaml:"name"`
	DisplayName string                `yaml:"displayName,omitempty"`
	Description string                `yaml:"description,omitempty"`
	Permissions []services.Permission `yaml:"permissions,flow,omitempty"`
	All         bool                  `yaml:"all,omitempty"`
}

type routeEntry struct {
	Methods    []string            `yaml:"methods,flow"`
	Path       string              `yaml:"path"`
	Permission services.Permission `yaml:"permission,omitempty"`
	People     bool                `yaml:"people,omitempty"`
}

// write makes the document of a definition, which reads as the same definition.
func write(d services.Definition) ([]byte, error) {
	doc := document{ID: d.ID, Version: d.Version, Name: d.Name, Description: d.Description, Prefix: d.Prefix}
	for _, p := range d.Permissions {
		doc.Permissions = append(doc.Permissions, permissionEntry(p))
	}
	for _, r := range d.Roles {
		doc.Roles = append(doc.Roles, roleEntry(r))
	}
	for _, r := range d.Routes {
		doc.Routes = append(doc.Routes, routeEntry(r))
	}
	return yaml.MarshalWithOptions(doc, yaml.IndentSequence(true))
}
