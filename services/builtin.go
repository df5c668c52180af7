package services

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sync"
)

//go:embed definitions/*.yaml
var definitionFiles embed.FS

// BuiltIn are the definitions that ship with us. What they are made of is shared, and
// nobody changes it.
func BuiltIn() ([]Definition, error) {
	list, err := builtIn()
	return slices.Clone(list), err
}

var builtIn = sync.OnceValues(readBuiltIn)

func readBuiltIn() ([]Definition, error) {
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
