package openapihttp

import (
	"bytes"
	"embed"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
)

//go:embed about/*.yaml
var files embed.FS

// API is one family of endpoints, as people know it.
type API struct {
	Name  string `yaml:"-"` // of its document
	Title string `yaml:"title"`
	About string `yaml:"about"`
	// Below are the paths' beginnings; the longest of all APIs decides.
	Below []string `yaml:"below"`
	// Failure is the schema of refusals.
	Failure string `yaml:"failure"`
	// Operations by method and path, in gin's syntax as in the route table.
	Operations map[string]Operation `yaml:"operations"`
	// Schemas are JSON Schema 2020-12, as OpenAPI 3.1 has it.
	Schemas map[string]any `yaml:"schemas"`
}

// Operation is what the route table does not know.
type Operation struct {
	ID    string `yaml:"id"`
	Is    string `yaml:"is"` // in one sentence
	About string `yaml:"about"`
	// List takes the parameters of lists: filter, sort and pages.
	List bool `yaml:"list"`
	// Query are more parameters: name and what it says.
	Query map[string]string `yaml:"query"`
	// In is the schema of what is sent, empty for no body; As its media type, JSON
	// where nothing is said.
	In string   `yaml:"in"`
	As []string `yaml:"as"`
	// Out are the schemas of what comes back, by status; empty for no body, "any" for
	// one that the schema leaves open.
	Out map[int]string `yaml:"out"`
}

// Load is what is embedded, which nobody changes.
var Load = sync.OnceValues(load)

func load() ([]API, error) {
	names, err := files.ReadDir("about")
	if err != nil {
		return nil, err
	}
	var all []API
	for _, f := range names {
		text, err := files.ReadFile("about/" + f.Name())
		if err != nil {
			return nil, err
		}
		a := API{Name: strings.TrimSuffix(f.Name(), path.Ext(f.Name()))}
		if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&a); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name(), err)
		}
		all = append(all, a)
	}
	return all, nil
}

// of is the API that a path belongs to, or nil.
func of(all []API, route string) *API {
	var found *API
	longest := -1
	for i := range all {
		for _, below := range all[i].Below {
			if (route == below || strings.HasPrefix(route, below+"/")) && len(below) > longest {
				found, longest = &all[i], len(below)
			}
		}
	}
	return found
}

// statuses of an operation, ascending.
func (o Operation) statuses() []int {
	var list []int
	for status := range o.Out {
		list = append(list, status)
	}
	slices.Sort(list)
	return list
}

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
