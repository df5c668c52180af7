package serviceshttp

import (
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/services"
	"causeway/tenants"
)

// definition is a service definition on the wire. Its id is bare, as tokens and custom
// roles name it.
type definition struct {
	ID          services.DefinitionID     `json:"id"`
	Version     int                       `json:"version"`
	Name        string                    `json:"name"`
	Description string                    `json:"description"`
	Prefix      string                    `json:"prefix"`
	Permissions []services.PermissionInfo `json:"permissions"`
	Roles       []services.ServiceRole    `json:"roles"`
	Routes      []services.Route          `json:"routes"`
	BuiltIn     bool                      `json:"builtIn"`
	UpdatedAt   time.Time                 `json:"updatedAt"`
}

func renderDefinition(d services.Definition) definition {
	shown := definition(d)
	shown.Permissions = append([]services.PermissionInfo{}, d.Permissions...)
	shown.Roles = append([]services.ServiceRole{}, d.Roles...)
	for i := range shown.Roles {
		shown.Roles[i].Permissions = append([]services.Permission{}, shown.Roles[i].Permissions...)
	}
	shown.Routes = append([]services.Route{}, d.Routes...)
	shown.UpdatedAt = d.UpdatedAt.UTC()
	return shown
}

func (d definition) text(selector string) string {
	return map[string]string{"name": d.Name, "prefix": d.Prefix, "builtIn": strconv.FormatBool(d.BuiltIn)}[selector]
}

func (h *Handler) definitionList(c *gin.Context, _ httpapi.Call) error {
	list, err := h.Services.Definitions(c.Request.Context())
	if err != nil {
		return err
	}
	rows := make([]definition, 0, len(list))
	for _, d := range list {
		rows = append(rows, renderDefinition(d))
	}
	page, err := httpapi.ListRows(c.Request, services.DefinitionFields, maxPageSize, rows, definition.text)
	if err != nil {
		return err
	}
	httpapi.WritePage(c, h.PublicURL, "ServiceDefinitions", page)
	return nil
}

func definitionID(c *gin.Context) (services.DefinitionID, error) {
	return tenants.ParseID[services.DefinitionID]("serviceDefinition", c.Param("id"))
}

func (h *Handler) definitionGet(c *gin.Context, _ httpapi.Call) error {
	id, err := definitionID(c)
	if err != nil {
		return err
	}
	d, err := h.Services.Definition(c.Request.Context(), id)
	return writeDefinition(c, http.StatusOK, d, err)
}

func writeDefinition(c *gin.Context, status int, d services.Definition, err error) error {
	if err != nil {
		return hidden(err)
	}
	httpapi.JSON(c, status, renderDefinition(d))
	return nil
}

func (h *Handler) definitionCreate(c *gin.Context, call httpapi.Call) error {
	d, err := parseDefinition(c.Request)
	if err != nil {
		return err
	}
	d, err = h.Services.CreateDefinition(c.Request.Context(), call.Caller, d)
	if err == nil {
		c.Header("Location", h.PublicURL+definitions+"/"+string(d.ID))
	}
	return writeDefinition(c, http.StatusCreated, d, err)
}

func (h *Handler) definitionReplace(c *gin.Context, call httpapi.Call) error {
	id, err := definitionID(c)
	if err != nil {
		return err
	}
	d, err := parseDefinition(c.Request)
	if err != nil {
		return err
	}
	if d.ID != "" && d.ID != id {
		return problem.New(problem.BadRequest, "The id of the service definition is not that of the address.")
	}
	d.ID = id
	d, err = h.Services.ReplaceDefinition(c.Request.Context(), call.Caller, d)
	return writeDefinition(c, http.StatusOK, d, err)
}

func (h *Handler) definitionDelete(c *gin.Context, call httpapi.Call) error {
	id, err := definitionID(c)
	if err != nil {
		return err
	}
	return httpapi.NoContent(c, hidden(h.Services.DeleteDefinition(c.Request.Context(), call.Caller, id)))
}

// maxBody is a little more than a definition may have, so that the domain says so.
const maxBody = 300 << 10

// parseDefinition reads a definition in JSON or YAML; the text itself says which.
func parseDefinition(r *http.Request) (services.Definition, error) {
	if given := r.Header.Get("Content-Type"); given != "" {
		media, _, err := mime.ParseMediaType(given)
		switch media {
		case "application/json", "application/yaml", "application/x-yaml", "text/yaml":
		default:
			err = http.ErrNotSupported
		}
		if err != nil {
			return services.Definition{}, problem.New(problem.BadRequest, "Content-Type must be application/json or application/yaml.")
		}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return services.Definition{}, problem.Wrap(err, problem.BadRequest, "The body could not be read.")
	}
	return services.ParseDefinition(body)
}
