// Package people has the pages about who may do what in an organization: its users,
// its roles, the catalog of rights, and what the provider publishes. What they do is
// done by package tenants, whose rules decide; a page only shows beforehand what
// those rules will allow.
package people

import (
	"embed"
	"io/fs"
	"slices"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/journal"
	"causeway/internal/secret"
	"causeway/oauth"
	"causeway/portal/ui"
	"causeway/tenants"
)

//go:embed all:templates
var files embed.FS

// Pages are the pages.
type Pages struct {
	Tenants *tenants.Service
	OAuth   *oauth.Service
	Orgs    *tenants.Directory
	// ChangePassword gives whoever asks another password, within the limit of logins.
	ChangePassword func(c *gin.Context, call httpapi.Call, current, password secret.Text) error
	// Routes are those of the API, for what a right opens.
	Routes []httpapi.Route
}

// Name is that of the group.
func (p *Pages) Name() string { return "people" }

// Files are the group's templates.
func (p *Pages) Files() fs.FS { return files }

// Pages lists them.
func (p *Pages) Pages() []ui.Page {
	return slices.Concat(p.userPages(), p.ownPages(), p.rolePages(), p.rightPages(), p.publicationPages())
}

const base = "/administration/access-control"

// The rights are those of the API's routes.
var (
	viewUsers   = []tenants.Right{tenants.RightUserView, tenants.RightUserManage}
	manageUsers = []tenants.Right{tenants.RightUserManage}
	viewRoles   = []tenants.Right{tenants.RightRoleView, tenants.RightRoleManage}
	manageRoles = []tenants.Right{tenants.RightRoleManage}
	viewRights  = []tenants.Right{tenants.RightRightView}
)

// one is a list's query for what it counts.
func one(where string, args ...any) tenants.Query {
	return tenants.Query{Where: where, Args: args, Page: 1, PageSize: 1}
}

// lastChanges is how many changes a page of details shows.
const lastChanges = 10

// history lists the last changes of something, newest first, for whoever may read
// the audit trail; others get none.
func (p *Pages) history(s *ui.Screen, kind, id string) ([]change, error) {
	if !s.Can(tenants.RightAuditView, tenants.RightAdministratorView) {
		return nil, nil
	}
	rows, _, err := p.Tenants.Audit(s.Request.Context(), s.Org().ID, tenants.Query{
		Where: "subject_kind = ? AND subject_id = ?", Args: []any{kind, id}, Page: 1, PageSize: lastChanges,
	})
	if err != nil {
		return nil, err
	}
	changes := make([]change, 0, len(rows))
	for _, row := range rows {
		changes = append(changes, change{row, s.Details(row.Detail)})
	}
	return changes, nil
}

// change is a line of the audit trail.
type change struct {
	journal.Row
	What []ui.Detail
}
