package tenants

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
	"github.com/google/uuid"
)

// publicationNamespace makes the identifiers of the default publications from
// their names, so that they are the same at every site.
var publicationNamespace = uuid.MustParse("d2f5a1de-5c0b-4c92-8a6e-7f1f6c0e9b37")

//go:embed defaults.yaml
var defaultsYAML []byte

type defaultSet struct {
	Name        string   `yaml:"name"`
	BundleKey   string   `yaml:"bundleKey"`
	Description string   `yaml:"description"`
	Rights      []string `yaml:"rights"` // names, or patterns with one *
}

type defaults struct {
	GlobalRoles   []defaultSet `yaml:"globalRoles"`
	RightsBundles []defaultSet `yaml:"rightsBundles"`
}

// defaultSets reads the file, which is part of the binary; that it reads and
// names only rights that tenants can have is checked by its test.
var defaultSets = sync.OnceValue(func() (d defaults) {
	if err := yaml.UnmarshalWithOptions(defaultsYAML, &d, yaml.Strict()); err != nil {
		panic(fmt.Sprintf("the embedded default roles and bundles: %v", err))
	}
	return d
})

// DefaultGlobalRoles are the roles that a new installation publishes to every
// organization.
func DefaultGlobalRoles() []Publication { return publish(GlobalRole, defaultSets().GlobalRoles) }

// DefaultRightsBundles are the bundles that a new installation publishes to every
// organization.
func DefaultRightsBundles() []Publication { return publish(RightsBundle, defaultSets().RightsBundles) }

func publish(kind PublicationKind, sets []defaultSet) []Publication {
	publications := make([]Publication, 0, len(sets))
	for _, s := range sets {
		publications = append(publications, Publication{
			Kind: kind, ID: defaultID(kind, s.Name), Name: s.Name, Description: s.Description, BundleKey: s.BundleKey,
			PublishAll: true, Rights: tenantRightsMatching(s.Rights),
		})
	}
	return publications
}

func defaultID(kind PublicationKind, name string) PublicationID {
	return PublicationID(uuid.NewSHA1(publicationNamespace, []byte(string(kind)+"\x00"+name)).String())
}

func tenantRightsMatching(patterns []string) []Right {
	var s RightSet
	for _, right := range TenantRights().List() {
		if slices.ContainsFunc(patterns, func(p string) bool { return matches(p, string(right)) }) {
			s.Add(right)
		}
	}
	return s.List()
}

func matches(pattern, name string) bool {
	before, after, any := strings.Cut(pattern, "*")
	if !any {
		return pattern == name
	}
	return len(name) >= len(before)+len(after) && strings.HasPrefix(name, before) && strings.HasSuffix(name, after)
}
