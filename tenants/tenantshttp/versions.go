package tenantshttp

import (
	"encoding/xml"
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
)

type versionInfo struct {
	Deprecated    bool   `xml:"deprecated,attr" json:"deprecated"`
	Version       string `xml:"Version" json:"version"`
	LoginURL      string `xml:"LoginUrl" json:"loginUrl"`
	ProviderLogin string `xml:"ProviderLoginUrl" json:"providerLoginUrl"`
}

type supportedVersions struct {
	XMLName  xml.Name      `xml:"http://www.vmware.com/vcloud/versions SupportedVersions" json:"-"`
	Versions []versionInfo `xml:"VersionInfo" json:"versionInfo"`
}

// versions tells which API versions we speak and where to log in. SDKs call it
// with whatever token they have left over; none is looked at.
func (h *Handler) versions(c *gin.Context) error {
	var body supportedVersions
	for _, v := range httpapi.Versions {
		body.Versions = append(body.Versions, versionInfo{
			Version: v, LoginURL: h.PublicURL + sessions, ProviderLogin: h.PublicURL + sessions + "/provider",
		})
	}
	if httpapi.DialectOf(c.Request) == httpapi.OpenAPI {
		httpapi.JSON(c, http.StatusOK, body)
		return nil
	}
	httpapi.WriteXML(c, http.StatusOK, "text/xml", body)
	return nil
}
