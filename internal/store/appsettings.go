package store

import (
	"encoding/json"
	"time"

	"causeway/oauth/apps"
	"causeway/services"
)

type appDocument struct {
	GrantTypes        []string        `json:"grantTypes"`
	Ceiling           ceilingDocument `json:"ceiling"`
	AccessTTL         time.Duration   `json:"accessTtl"`
	RefreshTTL        time.Duration   `json:"refreshTtl"`
	OwnerOnlyRotation bool            `json:"ownerOnlySecretRotation"`
	RotationOverlap   time.Duration   `json:"rotationOverlap"`
	Echo              map[string]any  `json:"echo,omitempty"`
}

type ceilingDocument struct {
	General  []string                 `json:"generalScopes"`
	AllOrg   bool                     `json:"allOrganizationRoles"`
	Org      []string                 `json:"organizationRoles"`
	Services []serviceCeilingDocument `json:"services"`
}

type serviceCeilingDocument struct {
	Definition services.DefinitionID `json:"definition"`
	All        bool                  `json:"allRoles"`
	Roles      []scopedRoleDocument  `json:"roles"`
}

type scopedRoleDocument struct {
	Name     string `json:"name"`
	Resource string `json:"resource"`
}

func newAppDocument(s apps.Settings) appDocument {
	return appDocument{
		GrantTypes: s.GrantTypes, AccessTTL: s.AccessTTL, RefreshTTL: s.RefreshTTL,
		OwnerOnlyRotation: s.OwnerOnlyRotation, RotationOverlap: s.RotationOverlap, Echo: s.Echo,
		Ceiling: ceilingDocument{
			General: s.Ceiling.General, AllOrg: s.Ceiling.AllOrg, Org: s.Ceiling.Org,
			Services: convert(s.Ceiling.Services, newServiceCeiling),
		},
	}
}

func newServiceCeiling(c services.ServiceCeiling) serviceCeilingDocument {
	return serviceCeilingDocument{
		Definition: c.Definition, All: c.All,
		Roles: convert(c.Roles, func(r services.ScopedRole) scopedRoleDocument { return scopedRoleDocument(r) }),
	}
}

func appSettings(document string) (apps.Settings, error) {
	var d appDocument
	err := json.Unmarshal([]byte(document), &d)
	return apps.Settings{
		GrantTypes: d.GrantTypes, Ceiling: d.Ceiling.ceiling(), AccessTTL: d.AccessTTL, RefreshTTL: d.RefreshTTL,
		OwnerOnlyRotation: d.OwnerOnlyRotation, RotationOverlap: d.RotationOverlap, Echo: d.Echo,
	}, err
}

func (d ceilingDocument) ceiling() services.Ceiling {
	return services.Ceiling{General: d.General, AllOrg: d.AllOrg, Org: d.Org, Services: convert(d.Services, serviceCeilingDocument.ceiling)}
}

func (d serviceCeilingDocument) ceiling() services.ServiceCeiling {
	return services.ServiceCeiling{
		Definition: d.Definition, All: d.All,
		Roles: convert(d.Roles, func(r scopedRoleDocument) services.ScopedRole { return services.ScopedRole(r) }),
	}
}
