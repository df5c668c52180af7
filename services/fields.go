package services

import "causeway/internal/fiql"

// What lists can be filtered and sorted by, for the API and the portal alike.
var (
	DefinitionFields = fiql.Fields{
		"name":    {Column: "name", Kind: fiql.Text},
		"prefix":  {Column: "prefix", Kind: fiql.Text},
		"builtIn": {Column: "builtIn", Kind: fiql.Bool},
	}
	InstanceFields = fiql.Fields{
		"id":                  {Column: "id", Kind: fiql.URN, URN: "serviceInstance"},
		"name":                {Column: "name", Kind: fiql.Text},
		"serviceDefinitionId": {Column: "definition_id", Kind: fiql.Text},
		"mode":                {Column: "mode", Kind: fiql.Text},
		"prefix":              {Column: "prefix", Kind: fiql.Text},
		"enabled":             {Column: "enabled", Kind: fiql.Bool},
	}
	// EveryInstanceFields are those of the provider's list, which is of all
	// organizations and in memory.
	EveryInstanceFields = fiql.Fields{
		"id":                  {Column: "id", Kind: fiql.URN, URN: "serviceInstance"},
		"orgId":               {Column: "orgId", Kind: fiql.URN, URN: "org"},
		"name":                {Column: "name", Kind: fiql.Text},
		"serviceDefinitionId": {Column: "serviceDefinitionId", Kind: fiql.Text},
		"mode":                {Column: "mode", Kind: fiql.Text},
		"prefix":              {Column: "prefix", Kind: fiql.Text},
		"enabled":             {Column: "enabled", Kind: fiql.Bool},
	}
	// AccountFields are those of the accounts in an instance.
	AccountFields = fiql.Fields{
		"name":      {Column: "name", Kind: fiql.Text},
		"kind":      {Column: "kind", Kind: fiql.Text},
		"createdAt": {Column: "created_at", Kind: fiql.Time},
	}
)
