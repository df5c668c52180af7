package tenantshttp

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/fiql"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/tenants"
)

type categoryBody struct {
	ID            string     `json:"id"`
	Name          string     `json:"name"`
	BundleKey     string     `json:"bundleKey"`
	Parent        *string    `json:"parent"`
	Count         rightCount `json:"rightsCount"`
	SubCategories []string   `json:"subCategories"`
}

type rightCount struct {
	View   int `json:"view"`
	Modify int `json:"modify"`
}

// categoriesOf groups the rights of a set. A category that none of them is in
// does not show.
func categoriesOf(set tenants.RightSet) []categoryBody {
	counts := map[string]rightCount{}
	for _, r := range set.Infos() {
		n := counts[r.CategoryID()]
		if r.Kind == "VIEW" {
			n.View++
		} else {
			n.Modify++
		}
		counts[r.CategoryID()] = n
	}
	list := []categoryBody{}
	for _, category := range tenants.Categories() {
		if n, ok := counts[category.ID]; ok {
			list = append(list, categoryBody{
				ID: tenants.URN("rightsCategory", category.ID), Name: category.Name, BundleKey: undefinedKey,
				Count: n, SubCategories: []string{},
			})
		}
	}
	return list
}

var categoryFields = fiql.Fields{
	"id":   {Column: "id", Kind: fiql.URN, URN: "rightsCategory"},
	"name": {Column: "name", Kind: fiql.Text},
}

func (h *Handler) categories(c *gin.Context, call httpapi.Call) error {
	show := func(b categoryBody, selector string) string {
		if selector == "id" {
			return b.ID
		}
		return b.Name
	}
	page, err := httpapi.ListRows(c.Request, categoryFields, maxPageSize, categoriesOf(call.Org.Available()), show)
	if err != nil {
		return err
	}
	httpapi.WritePage(c, h.PublicURL, "RightsCategories", page)
	return nil
}

func (h *Handler) category(c *gin.Context, call httpapi.Call) error {
	id, err := tenants.ParseID[string]("rightsCategory", c.Param("id"))
	if err != nil {
		return err
	}
	for _, body := range categoriesOf(call.Org.Available()) {
		if body.ID == tenants.URN("rightsCategory", id) {
			httpapi.JSON(c, http.StatusOK, body)
			return nil
		}
	}
	return problem.Hidden()
}
