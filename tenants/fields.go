package tenants

import "causeway/internal/fiql"

// What lists can be filtered and sorted by, for the API and the portal alike.
var (
	UserFields = fiql.Fields{
		"id":           {Column: "id", Kind: fiql.URN, URN: "user"},
		"username":     {Column: "name", Kind: fiql.Text},
		"fullName":     {Column: "full_name", Kind: fiql.Text},
		"description":  {Column: "description", Kind: fiql.Text},
		"email":        {Column: "email", Kind: fiql.Text},
		"enabled":      {Column: "enabled", Kind: fiql.Bool},
		"locked":       {Column: "locked", Kind: fiql.Bool},
		"providerType": {Column: "provider", Kind: fiql.Text},

		"roleEntityRefs.id": {Column: "role_id", Kind: fiql.URN, URN: "role"},
	}
	RoleFields = fiql.Fields{
		"id":          {Column: "id", Kind: fiql.URN, URN: "role"},
		"name":        {Column: "name", Kind: fiql.Text},
		"description": {Column: "description", Kind: fiql.Text},
		"readOnly":    {Column: "read_only", Kind: fiql.Bool},
	}
	// PublishedToFields are those of the organizations that something is published to.
	PublishedToFields = fiql.Fields{
		"id":   {Column: "id", Kind: fiql.URN, URN: "org"},
		"name": {Column: "name", Kind: fiql.Text},
	}
)

// Fields are those of lists of publications of this kind.
func (k PublicationKind) Fields() fiql.Fields {
	return fiql.Fields{
		"id":          {Column: "id", Kind: fiql.URN, URN: string(k)},
		"name":        {Column: "name", Kind: fiql.Text},
		"description": {Column: "description", Kind: fiql.Text},
		"readOnly":    {Column: "read_only", Kind: fiql.Bool},
		"publishAll":  {Column: "publish_all", Kind: fiql.Bool},
	}
}
