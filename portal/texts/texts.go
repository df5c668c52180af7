// Package texts owns the English of the portal: every word that a page says of its
// own, and nothing else. A page names a text by its key; what a text must be filled
// with stands in it as %s, %d and so on.
package texts

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
)

//go:embed *.yaml
var files embed.FS

// Texts are the words by key: the file's name, a dot, and the key there.
type Texts map[string]string

// Load is the texts, which nobody changes. A key that is there twice, and one without
// words, are errors.
var Load = sync.OnceValues(load)

func load() (Texts, error) {
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return nil, err
	}
	all := Texts{}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var of map[string]string
		if err := yaml.UnmarshalWithOptions(text, &of, yaml.Strict()); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for key, words := range of {
			if words == "" {
				return nil, fmt.Errorf("%s: %s says nothing", name, key)
			}
			all[strings.TrimSuffix(name, ".yaml")+"."+key] = words
		}
	}
	return all, nil
}

// Has reports whether there is a text of this key.
func (t Texts) Has(key string) bool { _, ok := t[key]; return ok }

// Say fills the text with args. A missing text shows its key, which a test finds
// before a person does.
func (t Texts) Say(key string, args ...any) string {
	words, ok := t[key]
	switch {
	case !ok:
		return "[" + key + "]"
	case len(args) == 0, !strings.ContainsRune(words, '%'): // "the app" is one, and says no number
		return words
	}
	return fmt.Sprintf(words, args...)
}

// Count picks key.one or key.many by n, and fills it with n and args.
func (t Texts) Count(key string, n int, args ...any) string {
	form := ".many"
	if n == 1 {
		form = ".one"
	}
	return t.Say(key+form, append([]any{n}, args...)...)
}
