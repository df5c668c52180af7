package federation

import "causeway/internal/fiql"

// OrgAssociationFields are what lists of associations of organizations can be
// filtered and sorted by, for the API and the portal alike.
var OrgAssociationFields = fiql.Fields{
	"localOrg.id":   {Column: "org_id", Kind: fiql.URN, URN: "org"},
	"localOrg.name": {Column: "local_name", Kind: fiql.Text},
	"org.id":        {Column: "remote_org_id", Kind: fiql.URN, URN: "org"},
	"org.name":      {Column: "remote_name", Kind: fiql.Text},
	"site.id":       {Column: "site_id", Kind: fiql.URN, URN: "site"},
	"site.name":     {Column: "site_name", Kind: fiql.Text},
	"status":        {Column: "status", Kind: fiql.Text},
	"mapUsers":      {Column: "map_users", Kind: fiql.Bool},
	"direct":        {Column: "direct", Kind: fiql.Bool},
}
