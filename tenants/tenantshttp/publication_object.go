package tenantshttp

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/tenants"
)

type publicationBody struct {
	roleBody
	PublishAll bool `json:"publishAll"`
}

func (p publications) urn(id tenants.PublicationID) string { return tenants.URN(string(p.kind), id) }

func (p publications) body(x tenants.Publication) publicationBody {
	return publicationBody{
		roleBody:   roleBody{ID: p.urn(x.ID), Name: x.Name, Description: x.Description, BundleKey: x.BundleKey, ReadOnly: x.ReadOnly},
		PublishAll: x.PublishAll,
	}
}

func (p publications) id(c *gin.Context) (tenants.PublicationID, error) {
	return tenants.ParseID[tenants.PublicationID](string(p.kind), c.Param("id"))
}

func (p publications) list(c *gin.Context, _ httpapi.Call) error {
	q, err := httpapi.ParseList(c.Request, p.kind.Fields(), maxPageSize)
	if err != nil {
		return err
	}
	list, total, err := p.Tenants.Publications(c.Request.Context(), p.kind, q)
	if err != nil {
		return err
	}
	values := make([]publicationBody, 0, len(list))
	for _, x := range list {
		values = append(values, p.body(x))
	}
	httpapi.WritePage(c, p.PublicURL, p.model, httpapi.NewPage(values, total, q.Page, q.PageSize))
	return nil
}

func (p publications) create(c *gin.Context, call httpapi.Call) error {
	text, publishAll, err := parseText(c.Request)
	if err != nil {
		return err
	}
	x, err := p.Tenants.CreatePublication(c.Request.Context(), call.Caller, p.kind, text, publishAll != nil && *publishAll)
	if err != nil {
		return err
	}
	p.created(c, p.path, p.urn(x.ID), p.body(x))
	return nil
}

// pathPublication is the one that the path names.
func (p publications) pathPublication(c *gin.Context) (tenants.Publication, error) {
	id, err := p.id(c)
	if err != nil {
		return tenants.Publication{}, err
	}
	return p.Tenants.Publication(c.Request.Context(), p.kind, id)
}

func (p publications) get(c *gin.Context, _ httpapi.Call) error {
	x, err := p.pathPublication(c)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, p.body(x))
	return nil
}

func (p publications) update(c *gin.Context, call httpapi.Call) error {
	id, err := p.id(c)
	if err != nil {
		return err
	}
	text, publishAll, err := parseText(c.Request)
	if err != nil {
		return err
	}
	x, err := p.Tenants.UpdatePublication(c.Request.Context(), call.Caller, p.kind, id, text, publishAll)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, p.body(x))
	return nil
}

func (p publications) remove(c *gin.Context, call httpapi.Call) error {
	id, err := p.id(c)
	if err != nil {
		return err
	}
	return httpapi.NoContent(c, p.Tenants.DeletePublication(c.Request.Context(), call.Caller, p.kind, id))
}

func (p publications) rights(c *gin.Context, _ httpapi.Call) error {
	x, err := p.pathPublication(c)
	if err != nil {
		return err
	}
	return p.writeRights(c, tenants.SetOf(x.Rights...), tenants.TenantRights())
}

// giving serves a change of rights.
func (p publications) giving(give func(context.Context, tenants.Caller, tenants.PublicationKind, tenants.PublicationID, []tenants.Right) (tenants.Publication, error)) func(*gin.Context, httpapi.Call) error {
	return func(c *gin.Context, call httpapi.Call) error {
		id, err := p.id(c)
		if err != nil {
			return err
		}
		rights, err := parseRights(c.Request)
		if err != nil {
			return err
		}
		x, err := give(c.Request.Context(), call.Caller, p.kind, id, rights)
		if err != nil {
			return err
		}
		writeReferences(c, rightRefs(tenants.SetOf(x.Rights...)))
		return nil
	}
}
