package services

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
)

//go:embed definitions/*.yaml
var definitionFiles embed.FS

// BuiltIn are the definitions that ship with us.
func BuiltIn() ([]Definition, error) {
	names, err := fs.Glob(definitionFiles, path.Join("definitions", "*.yaml"))
	if err != nil {
		return nil, err
	}
	list := make([]Definition, 0, len(names))
	for _, name := range names {
		data, err := definitionFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		d, err := ParseDefinition(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		d.BuiltIn = true
		list = append(list, d)
	}
	return list, nil
}
