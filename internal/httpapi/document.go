package httpapi

import "github.com/gin-gonic/gin"

// Link leads from one document of /api to another.
type Link struct {
	Rel  string `xml:"rel,attr" json:"rel"`
	Type string `xml:"type,attr,omitempty" json:"type"`
	Name string `xml:"name,attr,omitempty" json:"name,omitempty"`
	Href string `xml:"href,attr" json:"href"`
}

// Document answers below /api in XML of the given media type, or in JSON where the
// client asked for that.
func Document(c *gin.Context, status int, media string, v any) {
	if DialectOf(c.Request) == OpenAPI {
		JSON(c, status, v)
		return
	}
	WriteXML(c, status, media, v)
}
