package tenantshttp

import (
	"encoding/xml"
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/fiql"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/tenants"
)

const (
	rightsPath     = "/cloudapi/1.0.0/rights"
	categoriesPath = "/cloudapi/1.0.0/rightsCategories"
	undefinedKey   = tenants.UndefinedBundleKey
)

func (h *Handler) rightRoutes() []httpapi.Route {
	return []httpapi.Route{
		{Method: http.MethodGet, Path: rightsPath, Rights: viewRights, List: httpapi.Pages{}, Do: h.rights},
		{Method: http.MethodGet, Path: rightsPath + "/:id", Rights: viewRights, Do: h.right},
		{Method: http.MethodGet, Path: categoriesPath, Rights: viewRights, List: httpapi.Pages{}, Do: h.categories},
		{Method: http.MethodGet, Path: categoriesPath + "/:id", Rights: viewRights, Do: h.category},
		{Method: http.MethodGet, Path: "/api/admin/right/:id", Rights: viewRights, Do: h.rightXML},
	}
}

type rightBody struct {
	ID            string        `json:"id"`
	Name          string        `json:"name"`
	Description   string        `json:"description"`
	BundleKey     string        `json:"bundleKey"`
	Category      string        `json:"category"`
	Namespace     *string       `json:"serviceNamespace"`
	Kind          string        `json:"rightType"`
	ImpliedRights []httpapi.Ref `json:"impliedRights"`
}

// newRightBody shows a right with what it implies, as far as that is available:
// clients ask for every implied right by name, and give it along.
func newRightBody(r tenants.RightInfo, available tenants.RightSet) rightBody {
	body := rightBody{
		ID: tenants.URN("right", r.ID()), Name: string(r.Name), Description: r.Description, BundleKey: undefinedKey,
		Category: tenants.URN("rightsCategory", r.CategoryID()), Kind: r.Kind, ImpliedRights: []httpapi.Ref{},
	}
	for _, name := range r.Implies {
		if implied, ok := tenants.LookUpRight(name); ok && available.HasIndex(implied.Index) {
			body.ImpliedRights = append(body.ImpliedRights, rightRef(implied))
		}
	}
	return body
}

func rightRef(r tenants.RightInfo) httpapi.Ref {
	return httpapi.Ref{Name: string(r.Name), ID: tenants.URN("right", r.ID())}
}

// rights lists what is available in the organization: for the provider all.
func (h *Handler) rights(c *gin.Context, call httpapi.Call) error {
	return h.writeRights(c, call.Org.Available(), call.Org.Available())
}

var rightFields = fiql.Fields{
	"id":        {Column: "id", Kind: fiql.URN, URN: "right"},
	"name":      {Column: "name", Kind: fiql.Text},
	"rightType": {Column: "rightType", Kind: fiql.Text},
	"category":  {Column: "category", Kind: fiql.URN, URN: "rightsCategory"},
}

// writeRights writes a page of the rights of a set, as they look where available
// can be had.
func (h *Handler) writeRights(c *gin.Context, set, available tenants.RightSet) error {
	found, err := httpapi.ListRows(c.Request, rightFields, maxPageSize, set.Infos(), func(r tenants.RightInfo, selector string) string {
		switch selector {
		case "id":
			return r.ID()
		case "category":
			return r.CategoryID()
		case "rightType":
			return r.Kind
		}
		return string(r.Name)
	})
	if err != nil {
		return err
	}
	values := make([]rightBody, 0, len(found.Values))
	for _, r := range found.Values {
		values = append(values, newRightBody(r, available))
	}
	httpapi.WritePage(c, h.PublicURL, "Rights", httpapi.NewPage(values, found.ResultTotal, found.Page, found.PageSize))
	return nil
}

// rightOf is the right that the path names, if it is available in the
// organization. What is not looks like what does not exist.
func rightOf(c *gin.Context, call httpapi.Call) (tenants.RightInfo, error) {
	id, err := tenants.ParseID[string]("right", c.Param("id"))
	if err != nil {
		return tenants.RightInfo{}, err
	}
	r, ok := tenants.LookUpRightID(id)
	if !ok || !call.Org.Available().HasIndex(r.Index) {
		return tenants.RightInfo{}, problem.Hidden()
	}
	return r, nil
}

func (h *Handler) right(c *gin.Context, call httpapi.Call) error {
	r, err := rightOf(c, call)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, newRightBody(r, call.Org.Available()))
	return nil
}

type rightXML struct {
	XMLName xml.Name `xml:"http://www.vmware.com/vcloud/v1.5 Right" json:"-"`
	reference
	Description string `xml:"Description" json:"description"`
	Category    string `xml:"Category" json:"category"`
	BundleKey   string `xml:"BundleKey" json:"bundleKey"`
}

func (h *Handler) rightXML(c *gin.Context, call httpapi.Call) error {
	r, err := rightOf(c, call)
	if err != nil {
		return err
	}
	write(c, mediaRight, rightXML{
		reference: h.rightReference(r), Description: r.Description, Category: r.Category, BundleKey: undefinedKey,
	})
	return nil
}
