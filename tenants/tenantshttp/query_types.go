package tenantshttp

import (
	"context"

	"github.com/gin-gonic/gin"

	"causeway/internal/fiql"
	"causeway/internal/httpapi"
	"causeway/tenants"
)

// queryTypes are the queries we answer. The admin types of VCD ask across all
// organizations; here both ask in the one where the request is fulfilled.
var queryTypes = []queryType{
	{"organization", "OrgRecord", "Organization", viewOrganization, orgRecordFields, organizationRecords},
	{"task", "TaskRecord", "Task", viewTasks, tenants.TaskFields, taskRecords},
	{"adminTask", "AdminTaskRecord", "Task", viewTasks, tenants.TaskFields, taskRecords},
	{"user", "UserRecord", "User", viewUsers, userRecordFields, userRecords},
	{"adminUser", "AdminUserRecord", "User", viewUsers, userRecordFields, userRecords},
	{"role", "RoleRecord", "Role", viewRoles, roleRecordFields, roleRecords},
	{"right", "RightRecord", "Right", viewRights, rightRecordFields, inMemory(rightRecords)},
	// Virtual data centres live behind the gateway. SDKs ask for them on their way
	// to something else.
	{"orgVdc", "OrgVdcRecord", "Vdc", nil, vdcRecordFields, inMemory(noRecords)},
	{"adminOrgVdc", "AdminVdcRecord", "Vdc", nil, vdcRecordFields, inMemory(noRecords)},
	{"site", "SiteRecord", "Site", viewSites, siteRecordFields, inMemory(siteRecords)},
	{"siteAssociation", "SiteAssociationRecord", "SiteAssociation", viewSites, siteAssociationFields, inMemory(siteAssociationRecords)},
	{"orgAssociation", "OrgAssociationRecord", "OrgAssociation", viewOrgAssociations, orgAssociationFields, orgAssociationRecords},
}

var (
	viewUsers           = []tenants.Right{tenants.RightUserView, tenants.RightUserManage}
	viewRoles           = []tenants.Right{tenants.RightRoleView, tenants.RightRoleManage}
	viewRights          = []tenants.Right{tenants.RightRightView}
	viewSites           = []tenants.Right{tenants.RightSiteView, tenants.RightSiteManage}
	viewOrgAssociations = []tenants.Right{tenants.RightOrgAssociationsView, tenants.RightOrgAssociationsManage}
)

func lookUpQueryType(name string) (queryType, bool) {
	for _, t := range queryTypes {
		if t.name == name {
			return t, true
		}
	}
	return queryType{}, false
}

// fromStore pages through what fetch reads from the database.
func fromStore[T any](fetch func(*Handler, context.Context, httpapi.Call, tenants.Query) ([]T, int, error), show func(*Handler, httpapi.Call, T) record) pageOf {
	return func(h *Handler, c *gin.Context, call httpapi.Call, fields fiql.Fields) (httpapi.Page[record], error) {
		q, err := httpapi.ParseList(c.Request, fields, maxPageSize)
		if err != nil {
			return httpapi.Page[record]{}, err
		}
		rows, total, err := fetch(h, c.Request.Context(), call, q)
		if err != nil {
			return httpapi.Page[record]{}, err
		}
		records := make([]record, 0, len(rows))
		for _, row := range rows {
			records = append(records, show(h, call, row))
		}
		return httpapi.NewPage(records, total, q.Page, q.PageSize), nil
	}
}

// inMemory pages through all records of a list that is short.
func inMemory(all func(*Handler, context.Context, httpapi.Call) ([]record, error)) pageOf {
	return func(h *Handler, c *gin.Context, call httpapi.Call, fields fiql.Fields) (httpapi.Page[record], error) {
		records, err := all(h, c.Request.Context(), call)
		if err != nil {
			return httpapi.Page[record]{}, err
		}
		return httpapi.ListRows(c.Request, fields, maxPageSize, records, record.text)
	}
}
