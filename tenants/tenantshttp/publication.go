package tenantshttp

import (
	"net/http"

	"causeway/internal/httpapi"
	"causeway/tenants"
)

// publications serves one kind of what the provider publishes. It does the same
// whatever organization a provider acts in.
type publications struct {
	*Handler
	kind       tenants.PublicationKind // as URNs name it, too
	path       string
	model      string
	view, edit []tenants.Right
}

func (h *Handler) publicationRoutes() []httpapi.Route {
	roles := publications{
		Handler: h, kind: tenants.GlobalRole, path: "/cloudapi/1.0.0/globalRoles", model: "GlobalRoles",
		view: []tenants.Right{tenants.RightGlobalRoleView, tenants.RightGlobalRoleEdit},
		edit: []tenants.Right{tenants.RightGlobalRoleEdit},
	}
	bundles := publications{
		Handler: h, kind: tenants.RightsBundle, path: "/cloudapi/1.0.0/rightsBundles", model: "RightsBundles",
		view: []tenants.Right{tenants.RightBundleView, tenants.RightBundleEdit},
		edit: []tenants.Right{tenants.RightBundleEdit},
	}
	return append(roles.routes(), bundles.routes()...)
}

func (p publications) routes() []httpapi.Route {
	one, rights, to := p.path+"/:id", p.path+"/:id/rights", p.path+"/:id/tenants"
	return []httpapi.Route{
		{Method: http.MethodGet, Path: p.path, Rights: p.view, List: httpapi.Pages{}, Do: p.list},
		{Method: http.MethodPost, Path: p.path, Rights: p.edit, Do: p.create},
		{Method: http.MethodGet, Path: one, Rights: p.view, Do: p.get},
		{Method: http.MethodPut, Path: one, Rights: p.edit, Do: p.update},
		{Method: http.MethodDelete, Path: one, Rights: p.edit, Do: p.remove},
		{Method: http.MethodGet, Path: rights, Rights: p.view, Do: p.rights},
		{Method: http.MethodPost, Path: rights, Rights: p.edit, Do: p.giving(p.Tenants.AddPublicationRights)},
		{Method: http.MethodPut, Path: rights, Rights: p.edit, Do: p.giving(p.Tenants.SetPublicationRights)},
		{Method: http.MethodGet, Path: to, Rights: p.view, Do: p.listTenants},
		{Method: http.MethodPut, Path: to, Rights: p.edit, Do: p.replaceTenants},
		{Method: http.MethodPost, Path: to + "/publish", Rights: p.edit, Do: p.listed(p.Tenants.Publish)},
		{Method: http.MethodPost, Path: to + "/unpublish", Rights: p.edit, Do: p.listed(p.Tenants.Unpublish)},
		{Method: http.MethodPost, Path: to + "/publishAll", Rights: p.edit, Do: p.all(p.Tenants.PublishAll)},
		{Method: http.MethodPost, Path: to + "/unpublishAll", Rights: p.edit, Do: p.all(p.Tenants.UnpublishAll)},
	}
}
