// Package portal is what people see in a browser. This version has one page: it
// says where they are and how to answer an access request by API.
package portal

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
)

//go:embed page.html
var files embed.FS

var page = template.Must(template.ParseFS(files, "page.html"))

// Handler serves the pages.
type Handler struct {
	SiteName  string
	PublicURL string // https://host[:port], from configuration only
}

const place = "/administration/access-control/service-accounts" // of verification_uri

// Endpoints lists what the handler serves.
func (h *Handler) Endpoints() httpapi.Endpoints {
	var e httpapi.Endpoints
	for _, path := range []string{"/provider", "/provider" + place, "/tenant/:org", "/tenant/:org" + place} {
		e.Open = append(e.Open, httpapi.Open{Method: http.MethodGet, Path: path, Do: h.show})
	}
	return e
}

func (h *Handler) show(c *gin.Context) error {
	// Nothing of the path gets into lines that people paste into a shell.
	login := "/cloudapi/1.0.0/sessions"
	org := c.Param("org")
	if org == "" {
		org, login = "System", login+"/provider"
	}
	var body bytes.Buffer
	err := page.Execute(&body, map[string]string{"Site": h.SiteName, "URL": h.PublicURL, "Org": org, "Login": login})
	if err != nil {
		return err
	}
	// The page loads nothing and may be framed by nobody.
	c.Header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	c.Header("X-Content-Type-Options", "nosniff")
	c.Header("Referrer-Policy", "no-referrer")
	c.Data(http.StatusOK, "text/html; charset=utf-8", body.Bytes())
	return nil
}
