package ui

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"causeway/internal/httpapi"
	"causeway/portal/texts"
	"causeway/tenants"
)

//go:embed templates
var own embed.FS

// Config wires a Kit.
type Config struct {
	SiteName  func() string
	PublicURL string // https://host[:port], from configuration only
	Allows    func(org *tenants.Snapshot, who tenants.Principal, rights ...tenants.Right) bool
	Now       func() time.Time
}

// Kit draws pages.
type Kit struct {
	config  Config
	texts   texts.Texts
	pages   map[string]*source
	assets  assets
	origins httpapi.Origins
	menu    []Page
}

// New makes a kit with its own pages.
func New(c Config) (*Kit, error) {
	words, err := texts.Load()
	if err != nil {
		return nil, err
	}
	files, err := loadAssets()
	if err != nil {
		return nil, err
	}
	k := &Kit{config: c, texts: words, pages: map[string]*source{}, assets: files, origins: httpapi.NewOrigins(c.PublicURL)}
	pages, err := fs.Sub(own, "templates/pages")
	if err != nil {
		return nil, err
	}
	return k, k.add("ui", pages)
}

// Add reads the pages of a group from the folder templates: each file x.html is the
// page "group/x" and defines "main"; what files beginning with _ define, all pages of
// the group can use.
func (k *Kit) Add(group string, files fs.FS) error {
	pages, err := fs.Sub(files, "templates")
	if err != nil {
		return err
	}
	return k.add(group, pages)
}

func (k *Kit) add(group string, files fs.FS) error {
	names, err := fs.Glob(files, "*.html")
	if err != nil {
		return err
	}
	base, err := template.New("").Funcs(k.funcs()).ParseFS(own, "templates/*.html")
	if err != nil {
		return err
	}
	var shared, pages []string
	for _, name := range names {
		if strings.HasPrefix(name, "_") {
			shared = append(shared, name)
		} else {
			pages = append(pages, name)
		}
	}
	if len(shared) > 0 {
		if base, err = base.ParseFS(files, shared...); err != nil {
			return err
		}
	}
	for _, name := range pages {
		k.pages[path.Join(group, strings.TrimSuffix(name, ".html"))] = newSource(base, files, name)
	}
	return nil
}

// Check compiles every page, for a test: otherwise each is when it is first drawn.
func (k *Kit) Check() error {
	for name, page := range k.pages {
		if _, err := page.compiled(); err != nil {
			return fmt.Errorf("page %s: %w", name, err)
		}
	}
	return nil
}

func (k *Kit) funcs() template.FuncMap {
	return template.FuncMap{
		"t":     k.texts.Say,
		"count": k.texts.Count,
		"dict":  dict,
		"asset": k.assets.url,
		"when":  func(t time.Time) Moment { return Moment{t, k.config.Now()} },
		"join":  strings.Join,
		"short": short,
	}
}

// dict makes a map of names and values, for templates that take several.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, errors.New("dict takes pairs")
	}
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict takes names, not %v", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}

// short is the beginning of a long identifier; the whole of it is its title.
func short(id string) string {
	if first, _, ok := strings.Cut(id, "-"); ok {
		return first + "…"
	}
	return id
}

// Moment is a time as pages show it.
type Moment struct{ at, now time.Time }

// Known is false for the zero time.
func (m Moment) Known() bool { return !m.at.IsZero() }

// Stamp is for machines, and UTC for people.
func (m Moment) Stamp() string { return m.at.UTC().Format(time.RFC3339) }
func (m Moment) UTC() string   { return m.at.UTC().Format("2006-01-02 15:04:05") + " UTC" }

// render draws a page whole before a byte of it is sent.
func (k *Kit) render(name string, data any) ([]byte, error) {
	found, ok := k.pages[name]
	if !ok {
		return nil, fmt.Errorf("there is no page %q", name)
	}
	page, err := found.compiled()
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	if err := page.ExecuteTemplate(&body, "layout", data); err != nil {
		return nil, err
	}
	return body.Bytes(), nil
}

// MenuSection is a section of the menu as somebody sees it.
type MenuSection struct {
	Section Section
	Text    string // the key of its words, which are others for providers where there are some
	Items   []MenuItem
}

// MenuItem is an entry of the menu.
type MenuItem struct {
	Key, Path, Icon string
	Here            bool
	Anyone          bool // it takes no right
}

// menuOf is the menu of whoever looks: what they may open.
func (k *Kit) menuOf(s *Screen) (menu []MenuSection) {
	if s.Call == nil {
		return nil
	}
	bySection := map[Section][]Page{}
	for _, p := range k.menu {
		if p.In.has(s.Provider()) && s.Can(p.Rights...) {
			bySection[p.Menu.Section] = append(bySection[p.Menu.Section], p)
		}
	}
	for _, name := range sections {
		pages := bySection[name]
		if len(pages) == 0 {
			continue
		}
		slices.SortStableFunc(pages, func(a, b Page) int { return cmp.Compare(a.Menu.Order, b.Menu.Order) })
		section := MenuSection{Section: name, Text: "menu." + string(name)}
		if forProvider := section.Text + ".provider"; s.Provider() && k.texts.Has(forProvider) {
			section.Text = forProvider
		}
		for _, p := range pages {
			at := s.Base + p.Path
			here := s.Request.URL.Path == at || strings.HasPrefix(s.Request.URL.Path, at+"/")
			section.Items = append(section.Items, MenuItem{Key: p.Menu.Key, Path: at, Icon: p.Menu.Icon, Here: here, Anyone: slices.Contains(p.Rights, httpapi.AnySession)})
		}
		menu = append(menu, section)
	}
	onlyDeepest(menu)
	return menu
}

// onlyDeepest leaves one entry marked as where somebody is: an entry can be below
// another.
func onlyDeepest(menu []MenuSection) {
	var deepest *MenuItem
	for i := range menu {
		for j := range menu[i].Items {
			item := &menu[i].Items[j]
			switch {
			case !item.Here:
			case deepest == nil:
				deepest = item
			case len(item.Path) > len(deepest.Path):
				deepest.Here, deepest = false, item
			default:
				item.Here = false
			}
		}
	}
}
