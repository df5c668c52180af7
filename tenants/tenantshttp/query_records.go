package tenantshttp

import (
	"context"

	"causeway/internal/fiql"
	"causeway/internal/httpapi"
	"causeway/tenants"
)

var orgRecordFields = fiql.Fields{
	"id":          {Column: "id", Kind: fiql.URN, URN: "org"},
	"name":        {Column: "name", Kind: fiql.Text},
	"displayName": {Column: "display_name", Kind: fiql.Text},
	"isEnabled":   {Column: "enabled", Kind: fiql.Bool},
}

var organizationRecords = fromStore(
	func(h *Handler, ctx context.Context, call httpapi.Call, q tenants.Query) ([]tenants.ListedOrganization, int, error) {
		return h.Tenants.Organizations(ctx, call.Org.ID, q)
	},
	func(h *Handler, _ httpapi.Call, o tenants.ListedOrganization) record {
		self := h.entity("org", string(o.ID), o.Name)
		return recordOf(
			"href", self, "id", self.ID, "name", o.Name, "displayName", o.DisplayName, "isEnabled", o.Enabled, "isReadOnly", false,
			"canPublishCatalogs", o.Settings.CanPublishCatalogs, "deployedVMQuota", o.Settings.DeployedVMQuota, "storedVMQuota", o.Settings.StoredVMQuota,
			"numberOfCatalogs", 0, "numberOfVdcs", 0, "numberOfVApps", 0, "numberOfGroups", 0, "numberOfDisks", 0,
		)
	},
)

var taskRecords = fromStore(
	func(h *Handler, ctx context.Context, call httpapi.Call, q tenants.Query) ([]tenants.Task, int, error) {
		return h.Tenants.Tasks(ctx, call.Org.ID, q)
	},
	func(h *Handler, call httpapi.Call, t tenants.Task) record {
		self, progress, end := h.entity("task", string(t.ID), t.Name), 0, ""
		if !t.EndedAt.IsZero() {
			progress, end = 100, httpapi.Time(t.EndedAt)
		}
		return recordOf(
			"href", self, "id", self.ID, "name", t.Name, "operationFull", t.Operation, "status", string(t.Status),
			"startDate", httpapi.Time(t.StartedAt), "endDate", end, "org", h.entity("org", string(t.Org), call.Org.Name), "orgName", call.Org.Name,
			"ownerName", t.User.Name, "object", h.entity(t.Owner.Kind, t.Owner.ID, t.Owner.Name), "objectType", t.Owner.Kind, "objectName", t.Owner.Name,
			"progress", progress, "serviceNamespace", serviceNamespace,
		)
	},
)

var userRecordFields = fiql.Fields{
	"id":                   {Column: "id", Kind: fiql.URN, URN: "user"},
	"name":                 {Column: "name", Kind: fiql.Text},
	"fullName":             {Column: "full_name", Kind: fiql.Text},
	"isEnabled":            {Column: "enabled", Kind: fiql.Bool},
	"identityProviderType": {Column: "provider_type", Kind: fiql.Text},
}

var userRecords = fromStore(
	func(h *Handler, ctx context.Context, call httpapi.Call, q tenants.Query) ([]tenants.User, int, error) {
		return h.Tenants.Users(ctx, call.Org.ID, q)
	},
	func(h *Handler, call httpapi.Call, u tenants.User) record {
		self := h.entity("user", string(u.ID), u.Name)
		role, _ := call.Org.RoleName(u.Role)
		return recordOf(
			"href", self, "id", self.ID, "name", u.Name, "fullName", u.FullName, "isEnabled", u.Enabled,
			"isLdapUser", u.ProviderType == tenants.ProviderLDAP, "identityProviderType", u.ProviderType,
			"org", h.entity("org", string(u.Org), call.Org.Name), "roleNames", role,
			"deployedVMQuota", u.Profile.DeployedVMQuota, "storedVMQuota", u.Profile.StoredVMQuota,
			"numberOfDeployedVMs", 0, "numberOfStoredVMs", 0,
		)
	},
)

var roleRecordFields = fiql.Fields{
	"id":         {Column: "id", Kind: fiql.URN, URN: "role"},
	"name":       {Column: "name", Kind: fiql.Text},
	"isReadOnly": {Column: "read_only", Kind: fiql.Bool},
}

var roleRecords = fromStore(
	func(h *Handler, ctx context.Context, call httpapi.Call, q tenants.Query) ([]tenants.Role, int, error) {
		return h.Tenants.Roles(ctx, call.Org.ID, q)
	},
	func(h *Handler, call httpapi.Call, r tenants.Role) record {
		self := h.roleReference(call, call.Org.ID, r.ID, r.Name)
		return recordOf("href", self, "id", self.ID, "name", r.Name, "isReadOnly", r.ReadOnly, "org", h.entity("org", string(call.Org.ID), call.Org.Name))
	},
)

var rightRecordFields = fiql.Fields{
	"id":       {Column: "id", Kind: fiql.URN, URN: "right"},
	"name":     {Column: "name", Kind: fiql.Text},
	"category": {Column: "category", Kind: fiql.Text},
}

func rightRecords(h *Handler, _ context.Context, call httpapi.Call) (records []record, err error) {
	for _, r := range call.Org.Available().Infos() {
		self := h.rightReference(r)
		records = append(records, recordOf("href", self, "id", self.ID, "name", string(r.Name), "category", r.Category))
	}
	return records, nil
}

// vdcRecordFields are what clients filter virtual data centres by.
var vdcRecordFields = fiql.Fields{
	"id":        {Column: "id", Kind: fiql.Text},
	"href":      {Column: "href", Kind: fiql.Text},
	"name":      {Column: "name", Kind: fiql.Text},
	"org":       {Column: "org", Kind: fiql.Text},
	"orgName":   {Column: "orgName", Kind: fiql.Text},
	"isEnabled": {Column: "isEnabled", Kind: fiql.Bool},
	"status":    {Column: "status", Kind: fiql.Text},
}

func noRecords(*Handler, context.Context, httpapi.Call) ([]record, error) { return nil, nil }
