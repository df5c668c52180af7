package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
)

//go:embed assets
var assetFiles embed.FS

// assets are the portal's own style, script and images. The address of each holds
// what it says, so that browsers keep it for ever and never ask again.
type assets struct {
	byName map[string]string // its address
	byPath map[string]asset
}

type asset struct {
	media         string
	plain, packed []byte
}

var mediaOf = map[string]string{"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}

const assetsPath = "/portal/assets/"

func loadAssets() (assets, error) {
	a := assets{byName: map[string]string{}, byPath: map[string]asset{}}
	names, err := fs.Glob(assetFiles, "assets/*")
	if err != nil {
		return a, err
	}
	for _, name := range names {
		plain, err := assetFiles.ReadFile(name)
		if err != nil {
			return a, err
		}
		var packed bytes.Buffer
		w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
		if err != nil {
			return a, err
		}
		if _, err := w.Write(plain); err != nil {
			return a, err
		}
		if err := w.Close(); err != nil {
			return a, err
		}
		sum := sha256.Sum256(plain)
		name = path.Base(name)
		stem, ext, _ := strings.Cut(name, ".")
		at := stem + "-" + hex.EncodeToString(sum[:6]) + "." + ext
		a.byName[name] = assetsPath + at
		a.byPath[at] = asset{media: mediaOf[ext], plain: plain, packed: packed.Bytes()}
	}
	return a, nil
}

func (a assets) url(name string) string { return a.byName[name] }

// Assets serves the portal's files.
func (k *Kit) Assets() httpapi.Open {
	return httpapi.Open{Method: http.MethodGet, Path: assetsPath + ":file", AnyVersion: true, Do: func(c *gin.Context) error {
		f, ok := k.assets.byPath[c.Param("file")]
		if !ok {
			return problem.New(problem.UnknownPath, "Nothing is served at this path.")
		}
		h := c.Writer.Header()
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Vary", "Accept-Encoding")
		body := f.plain
		if strings.Contains(c.GetHeader("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			body = f.packed
		}
		c.Data(http.StatusOK, f.media, body)
		return nil
	}}
}
