package config

import (
	"embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"

	"causeway/internal/secret"
)

// The comments of these files are the reference; embedding them keeps the two
// from drifting apart.
//
//go:embed config.go sections.go keys.go tokens.go retention.go limits.go services.go audit.go tracing.go
var sources embed.FS

// Reference describes every setting, as Markdown.
func Reference() (string, error) {
	comments, err := readComments()
	if err != nil {
		return "", err
	}
	r := reference{comments: comments}
	r.group(reflect.TypeFor[Config](), "")
	return r.out.String(), nil
}

type reference struct {
	comments map[string]string // by Type and Type.Field
	out      strings.Builder
}

func (r *reference) group(t reflect.Type, prefix string) {
	for i := range t.NumField() {
		f := t.Field(i)
		key := prefix + f.Tag.Get("yaml")
		inner := f.Type
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice && isGroup(inner.Elem()) {
			if inner.Kind() == reflect.Slice {
				key += "[]"
			}
			inner = inner.Elem()
		}
		comment := r.comments[t.Name()+"."+f.Name]
		switch {
		case !isGroup(inner):
			fmt.Fprintf(&r.out, "- **`%s`** %s — %s\n", key, facts(key, f), comment)
		case inner == reflect.TypeFor[Budget]():
			fmt.Fprintf(&r.out, "- **`%s`** (`tokens`, `per`, `burst`) — %s\n", key, comment)
		default:
			heading := "##"
			if prefix != "" {
				heading = "###"
			}
			if comment == "" {
				comment = r.comments[inner.Name()]
			}
			fmt.Fprintf(&r.out, "\n%s `%s`\n%s\n\n", heading, key, comment)
			r.group(inner, key+".")
		}
	}
}

// facts are what the tags and the type say of a setting.
func facts(key string, f reflect.StructField) string {
	var all []string
	add := func(format, tag string) {
		if v := f.Tag.Get(tag); v != "" {
			all = append(all, fmt.Sprintf(format, v))
		}
	}
	add("`%s`", "default")
	if f.Tag.Get("required") != "" {
		all = append(all, "required")
	}
	if low := f.Tag.Get("min"); low != "" {
		all = append(all, low+" to "+f.Tag.Get("max"))
	}
	add("one of %s", "oneof")
	if f.Type.Kind() == reflect.Slice {
		all = append(all, "list")
	}
	if !strings.Contains(key, "[]") {
		all = append(all, "`"+variableName(key)+"`")
		if f.Type == reflect.TypeFor[secret.Text]() {
			all = append(all, "`"+variableName(key)+"_FILE`")
		}
	}
	return "(" + strings.Join(all, ", ") + ")"
}

func readComments() (map[string]string, error) {
	comments := map[string]string{}
	files, err := sources.ReadDir(".")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := sources.ReadFile(file.Name())
		if err != nil {
			return nil, err
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file.Name(), text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range tree.Decls {
			collect(comments, d)
		}
	}
	return comments, nil
}

func collect(comments map[string]string, d ast.Decl) {
	g, ok := d.(*ast.GenDecl)
	if !ok || len(g.Specs) == 0 {
		return
	}
	t, ok := g.Specs[0].(*ast.TypeSpec)
	if !ok {
		return
	}
	s, ok := t.Type.(*ast.StructType)
	if !ok {
		return
	}
	comments[t.Name.Name] = oneLine(g.Doc)
	for _, f := range s.Fields.List {
		for _, name := range f.Names {
			comments[t.Name.Name+"."+name.Name] = oneLine(f.Doc)
		}
	}
}

func oneLine(c *ast.CommentGroup) string { return strings.Join(strings.Fields(c.Text()), " ") }
