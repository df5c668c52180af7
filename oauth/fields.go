package oauth

import (
	"causeway/internal/fiql"
	"causeway/tenants"
)

// What lists can be filtered and sorted by, for the API and the portal alike.
var (
	AccountFields = fiql.Fields{
		"id":              {Column: "id", Kind: fiql.URN, URN: "serviceAccount"},
		"name":            {Column: "name", Kind: fiql.Text},
		"softwareId":      {Column: "software_id", Kind: fiql.Text},
		"softwareVersion": {Column: "software_version", Kind: fiql.Text},
		"role.id":         {Column: "role_id", Kind: fiql.URN, URN: "role"},
		"role.name":       {Column: "role_name", Kind: fiql.Text},
		"uri":             {Column: "uri", Kind: fiql.Text},
		"status":          {Column: "status", Kind: fiql.Text},
	}
	// LimitedAccountFields are those of the limited view: what it hides must not be
	// found by asking for it.
	LimitedAccountFields = fiql.Fields{
		"id": AccountFields["id"], "name": AccountFields["name"],
		"role.id": AccountFields["role.id"], "role.name": AccountFields["role.name"],
	}
	TokenFields = fiql.Fields{
		"id":         {Column: "id", Kind: fiql.URN, URN: "token"},
		"name":       {Column: "name", Kind: fiql.Text},
		"type":       {Column: "type", Kind: fiql.Text},
		"owner.id":   {Column: "owner_id", Kind: fiql.URN, URN: "user"},
		"owner.name": {Column: "owner_name", Kind: fiql.Text},
	}
	SessionFields = fiql.Fields{
		"id":        {Column: "id", Kind: fiql.URN, URN: "session"},
		"user.id":   {Column: "principal", Kind: fiql.URN, URN: "user"},
		"user.name": {Column: "name", Kind: fiql.Text},
		"role.id":   {Column: "role_id", Kind: fiql.URN, URN: "role"},
	}
)

// FullAccountView are the rights any of which shows what the limited view of
// accounts hides (VCD-3).
var FullAccountView = []tenants.Right{tenants.RightAccountsView, tenants.RightAccountsManage}

// Who may see other people's sessions, and who may end them: any of these rights. To
// manage users is not enough to end one: whoever does may do less than the session's
// owner.
var (
	SessionWatchers = []tenants.Right{
		tenants.RightSessionView, tenants.RightSessionManage, tenants.RightUserView, tenants.RightUserManage,
	}
	SessionEnders = []tenants.Right{tenants.RightSessionManage}
)
