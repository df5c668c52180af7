package tenants

import (
	_ "embed"
	"fmt"
	"sync"

	"github.com/goccy/go-yaml"
	"github.com/google/uuid"
)

// The namespaces of identifiers made from names. To change one is to give every
// right, or every category, another identifier: clients store them.
var (
	rightNamespace    = uuid.MustParse("6a1b6f6e-2f0d-4c3e-9a57-0c1f6d1f7b52")
	categoryNamespace = uuid.MustParse("b0c7e0a4-7d3b-4a0e-8f43-5e9a4f0d2c86")
)

func rightID(name Right) string { return uuid.NewSHA1(rightNamespace, []byte(name)).String() }

func categoryID(name string) string {
	return uuid.NewSHA1(categoryNamespace, []byte(name)).String()
}

//go:embed rights.yaml
var rightsYAML []byte

// catalog is the file with its indexes.
type catalog struct {
	rights     []RightInfo
	categories []Category
	byName     map[Right]int
	byID       map[string]int
	all        RightSet
	tenant     RightSet
	machine    RightSet
}

// rightsCatalog reads the file, which is part of the binary; that it reads is a
// property of the build, checked by its test.
var rightsCatalog = sync.OnceValue(func() *catalog {
	var groups []struct {
		Category string      `yaml:"category"`
		Rights   []RightInfo `yaml:"rights"`
	}
	if err := yaml.UnmarshalWithOptions(rightsYAML, &groups, yaml.Strict()); err != nil {
		panic(fmt.Sprintf("the embedded catalog of rights: %v", err))
	}
	c := &catalog{byName: map[Right]int{}, byID: map[string]int{}}
	for _, g := range groups {
		for _, r := range g.Rights {
			c.add(g.Category, r)
		}
		c.categories = append(c.categories, Category{ID: categoryID(g.Category), Name: g.Category})
	}
	return c
})

func (c *catalog) add(category string, r RightInfo) {
	r.Category, r.Index, r.id = category, len(c.rights), rightID(r.Name)
	c.byName[r.Name], c.byID[r.id] = r.Index, r.Index
	c.all.addIndex(r.Index)
	if !r.Provider {
		c.tenant.addIndex(r.Index)
	}
	if r.ForMachines() {
		c.machine.addIndex(r.Index)
	}
	c.rights = append(c.rights, r)
}

// Catalog returns every right in the order of the catalog file. It is shared:
// callers do not change it.
func Catalog() []RightInfo { return rightsCatalog().rights }

// LookUpRight finds a right in the catalog.
func LookUpRight(name Right) (RightInfo, bool) { return at(Catalog(), rightsCatalog().byName, name) }

// LookUpRightID finds a right by its identifier.
func LookUpRightID(id string) (RightInfo, bool) { return at(Catalog(), rightsCatalog().byID, id) }

// Categories returns the groups of rights in catalog order. It is shared:
// callers do not change it.
func Categories() []Category { return rightsCatalog().categories }

func at[K comparable, T any](rows []T, index map[K]int, key K) (row T, ok bool) {
	i, ok := index[key]
	if ok {
		row = rows[i]
	}
	return row, ok
}
