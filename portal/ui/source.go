package ui

import (
	"fmt"
	"html/template"
	"io/fs"
	"sync"
)

// source is a page that is compiled when it is first drawn. Each has a copy of all
// that pages share, which together would be most of a cell's memory at its start.
type source struct {
	compiled func() (*template.Template, error)
}

func newSource(shared *template.Template, files fs.FS, name string) *source {
	return &source{sync.OnceValues(func() (*template.Template, error) {
		page, err := shared.Clone()
		if err != nil {
			return nil, err
		}
		if page, err = page.ParseFS(files, name); err != nil {
			return nil, err
		}
		if page.Lookup("main") == nil {
			return nil, fmt.Errorf("%s does not define main", name)
		}
		return page, nil
	})}
}
