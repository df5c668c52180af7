package tenantshttp

import (
	"context"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/tenants"
)

// listTenants lists whom it is published to: after publishAll every tenant.
func (p publications) listTenants(c *gin.Context, _ httpapi.Call) error {
	id, err := p.id(c)
	if err != nil {
		return err
	}
	q, err := httpapi.ParseList(c.Request, tenants.PublishedToFields, maxPageSize)
	if err != nil {
		return err
	}
	page, err := p.publishedTo(c.Request.Context(), id, q)
	if err != nil {
		return err
	}
	httpapi.WritePage(c, p.PublicURL, "EntityReferences", page)
	return nil
}

func (p publications) publishedTo(ctx context.Context, id tenants.PublicationID, q tenants.Query) (page httpapi.Page[httpapi.Ref], err error) {
	list, total, err := p.Tenants.PublicationTenants(ctx, p.kind, id, q)
	if err != nil {
		return page, err
	}
	values := make([]httpapi.Ref, 0, len(list))
	for _, o := range list {
		values = append(values, httpapi.Ref{Name: o.Name, ID: tenants.URN("org", o.ID)})
	}
	return httpapi.NewPage(values, total, q.Page, q.PageSize), nil
}

// replaceTenants answers with all that it is published to now: a PUT must have a
// body.
func (p publications) replaceTenants(c *gin.Context, call httpapi.Call) error {
	id, orgs, err := p.parseTenants(c)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	if err := p.Tenants.ReplaceTenants(ctx, call.Caller, p.kind, id, orgs); err != nil {
		return err
	}
	page, err := p.publishedTo(ctx, id, tenants.Query{Page: 1, PageSize: max(len(orgs), 1)})
	if err != nil {
		return err
	}
	writeReferences(c, page.Values)
	return nil
}

func (p publications) parseTenants(c *gin.Context) (tenants.PublicationID, []tenants.OrgID, error) {
	id, err := p.id(c)
	if err != nil {
		return "", nil, err
	}
	orgs, err := parseReferences[tenants.OrgID](c.Request, "org")
	return id, orgs, err
}

// listed serves a change that names tenants.
func (p publications) listed(change func(context.Context, tenants.Caller, tenants.PublicationKind, tenants.PublicationID, []tenants.OrgID) error) func(*gin.Context, httpapi.Call) error {
	return func(c *gin.Context, call httpapi.Call) error {
		id, orgs, err := p.parseTenants(c)
		if err != nil {
			return err
		}
		return httpapi.NoContent(c, change(c.Request.Context(), call.Caller, p.kind, id, orgs))
	}
}

// all serves a change for every tenant. Clients send {} or what they like.
func (p publications) all(change func(context.Context, tenants.Caller, tenants.PublicationKind, tenants.PublicationID) error) func(*gin.Context, httpapi.Call) error {
	return func(c *gin.Context, call httpapi.Call) error {
		id, err := p.id(c)
		if err != nil {
			return err
		}
		return httpapi.NoContent(c, change(c.Request.Context(), call.Caller, p.kind, id))
	}
}
