package openapihttp

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
)

// Path is where the list of documents is; each is below it.
const Path = "/openapi"

// keep is how long a document may be kept without asking; a site's documents change
// with its version alone.
const keep = time.Hour

// Add gives e its description, which describes itself, too. It is the same for every
// site, and says nothing of one.
func Add(e *httpapi.Endpoints) error {
	h := &handler{}
	own := httpapi.Endpoints{Open: []httpapi.Open{
		{Method: http.MethodGet, Path: Path, Do: h.list, AnyVersion: true},
	}}
	all, err := Load()
	if err != nil {
		return err
	}
	for _, a := range all {
		own.Open = append(own.Open, httpapi.Open{Method: http.MethodGet, Path: pathOf(a.Name), Do: h.document(a.Name), AnyVersion: true})
	}
	e.Add(own)
	h.docs, err = Documents(*e)
	return err
}

func pathOf(name string) string { return Path + "/" + name + ".json" }

type handler struct{ docs map[string]object }

// listBody leads to the documents.
type listBody struct {
	Documents []documentBody `json:"documents"`
}

type documentBody struct {
	Title string `json:"title"`
	Href  string `json:"href"`
}

func (h *handler) list(c *gin.Context) error {
	b := listBody{}
	for _, name := range slices.Sorted(maps.Keys(h.docs)) {
		info, _ := h.docs[name]["info"].(object)
		title, _ := info["title"].(string)
		b.Documents = append(b.Documents, documentBody{Title: title, Href: pathOf(name)})
	}
	httpapi.CachedJSON(c, keep, b)
	return nil
}

func (h *handler) document(name string) func(*gin.Context) error {
	return func(c *gin.Context) error {
		httpapi.CachedJSON(c, keep, h.docs[name])
		return nil
	}
}
