package store

import (
	"encoding/json"

	"causeway/internal/problem"
	"causeway/services"
)

type definitionRow struct {
	ID        string `gorm:"primaryKey"`
	Name      string
	Document  string
	BuiltIn   bool
	UpdatedAt int64 `gorm:"autoUpdateTime:false"`
}

func (definitionRow) TableName() string { return "service_definitions" }

// definitionDocument is what a definition's row keeps as JSON. Here and in the other
// documents, a part that the domain changes does not compile until it is looked at.
type definitionDocument struct {
	Version     int                  `json:"version"`
	Description string               `json:"description"`
	Prefix      string               `json:"prefix"`
	Permissions []permissionDocument `json:"permissions"`
	Roles       []roleDocument       `json:"roles"`
	Routes      []routeDocument      `json:"routes"`
}

type permissionDocument struct {
	Name        services.Permission `json:"name"`
	DisplayName string              `json:"displayName"`
	Description string              `json:"description"`
}

type roleDocument struct {
	Name        string                `json:"name"`
	DisplayName string                `json:"displayName"`
	Description string                `json:"description"`
	Permissions []services.Permission `json:"permissions"`
	All         bool                  `json:"all"`
}

type routeDocument struct {
	Methods    []string            `json:"methods"`
	Path       string              `json:"path"`
	Permission services.Permission `json:"permission"`
	People     bool                `json:"people"`
}

func newDefinitionRow(d services.Definition) (definitionRow, error) {
	document, err := json.Marshal(definitionDocument{
		Version: d.Version, Description: d.Description, Prefix: d.Prefix,
		Permissions: convert(d.Permissions, func(p services.PermissionInfo) permissionDocument { return permissionDocument(p) }),
		Roles:       convert(d.Roles, func(r services.ServiceRole) roleDocument { return roleDocument(r) }),
		Routes:      convert(d.Routes, func(r services.Route) routeDocument { return routeDocument(r) }),
	})
	return definitionRow{ID: string(d.ID), Name: d.Name, Document: string(document), BuiltIn: d.BuiltIn, UpdatedAt: micros(d.UpdatedAt)}, err
}

func (r definitionRow) definition() (services.Definition, error) {
	var doc definitionDocument
	if err := json.Unmarshal([]byte(r.Document), &doc); err != nil {
		return services.Definition{}, err
	}
	return services.Definition{
		ID: services.DefinitionID(r.ID), Version: doc.Version, Name: r.Name, Description: doc.Description, Prefix: doc.Prefix,
		Permissions: convert(doc.Permissions, func(p permissionDocument) services.PermissionInfo { return services.PermissionInfo(p) }),
		Roles:       convert(doc.Roles, func(r roleDocument) services.ServiceRole { return services.ServiceRole(r) }),
		Routes:      convert(doc.Routes, func(r routeDocument) services.Route { return services.Route(r) }),
		BuiltIn:     r.BuiltIn, UpdatedAt: fromMicros(r.UpdatedAt),
	}, nil
}

func (r *reader) Definitions() ([]services.Definition, error) {
	var rows []definitionRow
	if err := r.db.Order("name").Find(&rows).Error; err != nil {
		return nil, fault(err)
	}
	return convertAll(rows, definitionRow.definition)
}

func (r *reader) Definition(id services.DefinitionID) (services.Definition, error) {
	var row definitionRow
	if err := take(r.db.Where("id = ?", clean(string(id))), &row); err != nil {
		return services.Definition{}, err
	}
	return row.definition()
}

func (t *tx) PutDefinition(d services.Definition) error {
	row, err := newDefinitionRow(d)
	if err != nil {
		return err
	}
	return t.put(&row, "id")
}

// dropOfDefinition takes the roles of a service from everybody: one that is made with
// this id later is another service. The index begins with the organization.
const dropOfDefinition = `DELETE FROM role_grants WHERE kind = 'service' AND definition_id = ? AND org_id IN (SELECT id FROM organizations)`

// DeleteDefinition looks for instances and grants once it has the row: whoever was making one
// has committed by then, and whoever comes later does not find the definition.
func (t *tx) DeleteDefinition(id services.DefinitionID) error {
	if err := take(forUpdate(t.db).Where("id = ?", string(id)), &definitionRow{}); err != nil {
		return err
	}
	var one int
	if err := t.db.Raw("SELECT 1 FROM service_instances WHERE definition_id = ? LIMIT 1", string(id)).Find(&one).Error; err != nil {
		return fault(err)
	}
	if one == 1 {
		return problem.New(problem.Conflict, "There are instances of this service.")
	}
	if _, err := t.exec(dropOfDefinition, string(id)); err != nil {
		return err
	}
	return t.must(t.db.Where("id = ?", string(id)).Delete(&definitionRow{}))
}
