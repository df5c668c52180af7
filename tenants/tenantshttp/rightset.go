package tenantshttp

import (
	"encoding/json"
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/tenants"
)

// textBody is what clients write of a role or publication. Everything else in it
// they only send back.
type textBody struct {
	Name        string  `json:"name"`
	Description string  `json:"description"`
	BundleKey   *string `json:"bundleKey"`
	PublishAll  *bool   `json:"publishAll"`
}

func parseText(r *http.Request) (tenants.RoleText, *bool, error) {
	var body textBody
	if err := httpapi.ParseJSON(r, &body); err != nil {
		return tenants.RoleText{}, nil, err
	}
	text := tenants.RoleText{Name: body.Name, Description: body.Description, BundleKey: undefinedKey}
	if body.BundleKey != nil {
		text.BundleKey = *body.BundleKey
	}
	return text, body.PublishAll, nil
}

// parseReferences reads {"values":[{"name","id"}]} and answers each id once.
// Only ids count. The SDK writes an empty list as null; that it is absent says
// nothing, and nothing must not empty a role.
func parseReferences[T ~string](r *http.Request, kind string) ([]T, error) {
	var body struct {
		Values json.RawMessage `json:"values"`
	}
	if err := httpapi.ParseJSON(r, &body); err != nil {
		return nil, err
	}
	var values []struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(body.Values, &values); err != nil {
		return nil, problem.New(problem.BadRequest, `The body must be {"values":[{"name":"…","id":"…"}]}.`)
	}
	ids, seen := make([]T, 0, len(values)), make(map[T]bool, len(values))
	for _, v := range values {
		id, err := tenants.ParseID[T](kind, v.ID)
		if err != nil {
			return nil, err
		}
		if !seen[id] {
			ids, seen[id] = append(ids, id), true
		}
	}
	return ids, nil
}

// parseRights reads references to rights.
func parseRights(r *http.Request) ([]tenants.Right, error) {
	ids, err := parseReferences[string](r, "right")
	if err != nil {
		return nil, err
	}
	rights := make([]tenants.Right, 0, len(ids))
	for _, id := range ids {
		info, ok := tenants.LookUpRightID(id)
		if !ok {
			return nil, problem.New(problem.BadRequest, "There is no right %s that could be given here.", tenants.URN("right", id))
		}
		rights = append(rights, info.Name)
	}
	return rights, nil
}

// writeReferences answers a change by all that there is now, on one page.
func writeReferences(c *gin.Context, refs []httpapi.Ref) {
	httpapi.JSON(c, http.StatusOK, httpapi.NewPage(refs, len(refs), 1, max(len(refs), 1)))
}

// rightRefs are references to rights in catalog order.
func rightRefs(set tenants.RightSet) []httpapi.Ref {
	refs := []httpapi.Ref{}
	for _, r := range set.Infos() {
		refs = append(refs, rightRef(r))
	}
	return refs
}

// created answers a creation.
func (h *Handler) created(c *gin.Context, path, urn string, body any) {
	c.Header("Location", h.PublicURL+path+"/"+urn)
	httpapi.JSON(c, http.StatusCreated, body)
}
