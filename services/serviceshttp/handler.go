// Package serviceshttp is the HTTP face of package services: service definitions and
// instances for providers, and for the members of an organization its instances and
// the accounts in them. It parses, calls and renders.
package serviceshttp

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/services"
	"causeway/tenants"
)

// Handler serves the endpoints.
type Handler struct {
	Services  *services.Service
	Orgs      *tenants.Directory
	Health    services.Healths // nil where nobody asks upstreams how they are
	PublicURL string           // https://host[:port], from configuration only
}

var (
	view   = []tenants.Right{tenants.RightInstanceView, tenants.RightInstanceManage}
	manage = []tenants.Right{tenants.RightInstanceManage}
	// anySession is who may call where the organization roles of the caller are asked.
	anySession = []tenants.Right{httpapi.AnySession}
)

const (
	maxPageSize = 128 // VCD's largest page
	definitions = httpapi.OwnAPI + "/serviceDefinitions"
	instances   = httpapi.OwnAPI + "/serviceInstances"
)

// Endpoints lists what the handler serves.
func (h *Handler) Endpoints() httpapi.Endpoints {
	routes := []httpapi.Route{
		{Method: http.MethodGet, Path: definitions, Rights: view, List: httpapi.Pages{}, Do: h.definitionList},
		{Method: http.MethodPost, Path: definitions, Rights: manage, Do: h.definitionCreate},
		{Method: http.MethodGet, Path: definitions + "/:id", Rights: view, Do: h.definitionGet},
		{Method: http.MethodPut, Path: definitions + "/:id", Rights: manage, Do: h.definitionReplace},
		{Method: http.MethodDelete, Path: definitions + "/:id", Rights: manage, Do: h.definitionDelete},
		{Method: http.MethodGet, Path: instances, Rights: view, List: httpapi.Pages{}, Do: h.instanceList},
		{Method: http.MethodPost, Path: instances, Rights: manage, Do: h.instanceCreate},
		{Method: http.MethodGet, Path: instances + "/:id", Rights: view, Do: h.instanceGet},
		{Method: http.MethodPut, Path: instances + "/:id", Rights: manage, Do: h.instanceUpdate},
		{Method: http.MethodDelete, Path: instances + "/:id", Rights: manage, Do: h.instanceDelete},
	}
	return httpapi.Endpoints{Routes: append(routes, h.memberRoutes()...)}
}

// target is the instance that the path names. A provider at home reaches every
// organization's by its id alone.
func (h *Handler) target(c *gin.Context, call httpapi.Call) (org tenants.OrgID, id services.InstanceID, err error) {
	if id, err = tenants.ParseID[services.InstanceID]("serviceInstance", c.Param("id")); err != nil {
		return "", "", err
	}
	if !atHome(call) {
		return call.Org.ID, id, nil
	}
	org, err = h.Services.InstanceOrg(c.Request.Context(), id)
	if err == nil {
		httpapi.Concern(c, org)
	}
	return org, id, hidden(err)
}

// atHome reports whether a provider asks without being in a tenant's organization.
func atHome(call httpapi.Call) bool { return call.Principal.Provider() && call.Org.System() }

// hidden puts absence into the words for what is not the caller's business.
func hidden(err error) error {
	if problem.Has(err, problem.NotFound) {
		return problem.Hidden()
	}
	return err
}
