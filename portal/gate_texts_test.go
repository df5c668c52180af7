package portal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"causeway/portal/texts"
)

// sources are the files of the portal with this ending, by path.
func sources(t *testing.T, ending string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ending) || strings.HasSuffix(name, "_test.go") {
			return err
		}
		body, err := os.ReadFile(name)
		found[name] = string(body)
		return err
	})
	if err != nil || len(found) == 0 {
		t.Fatalf("no %s: %v", ending, err)
	}
	return found
}

var (
	action  = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	aside   = regexp.MustCompile(`(?s)<!--.*?-->|\{\{-?\s*/\*.*?\*/\s*-?\}\}`)
	tag     = regexp.MustCompile(`(?s)<[^>]*>`)
	code    = regexp.MustCompile(`(?s)<code.*?</code>`)                                                       // is for machines
	pieces  = regexp.MustCompile(`[a-z-]+="[^"]*"|\b(required|autofocus|checked|selected|hidden|readonly)\b`) // of tags, in a part for tags
	said    = regexp.MustCompile(`(?:title|aria-label|placeholder|alt|label)="[^"]*[A-Za-z]{2}[^"]*"`)
	word    = regexp.MustCompile(`[A-Za-z]{2,}`)
	literal = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`")
)

// TestTemplatesSayNothingOfTheirOwn finds words that are not among the texts.
func TestTemplatesSayNothingOfTheirOwn(t *testing.T) {
	for name, source := range sources(t, ".html") {
		source = aside.ReplaceAllString(source, "")
		for _, a := range action.FindAllString(source, -1) {
			for _, s := range literal.FindAllString(a, -1) {
				if strings.Contains(strings.TrimSpace(s[1:len(s)-1]), " ") && word.MatchString(s) {
					t.Errorf("%s: %s is no key of a text", name, s)
				}
			}
		}
		source = action.ReplaceAllString(source, "")
		for _, attribute := range said.FindAllString(source, -1) {
			t.Errorf("%s: %s is not a text", name, attribute)
		}
		source = tag.ReplaceAllString(code.ReplaceAllString(source, ""), "")
		for line := range strings.Lines(pieces.ReplaceAllString(source, "")) {
			if word.MatchString(line) {
				t.Errorf("%s says %q, which is not a text", name, strings.TrimSpace(line))
			}
		}
	}
}

// spoken are the fields of the kit's types that hold words for people.
var spoken = []string{"Label", "Hint", "Submit", "GenerateLabel", "Question", "SearchLabel", "Title"}

// goStrings lists the strings in Go source, and those given to a field for people.
func goStrings(t *testing.T, name, source string) (all, shown []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	value := func(e ast.Expr) (string, bool) {
		lit, ok := e.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return "", false
		}
		s, err := strconv.Unquote(lit.Value)
		return s, err == nil
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && slices.Contains(spoken, key.Name) {
				if s, ok := value(n.Value); ok {
					shown = append(shown, s)
				}
			}
		case *ast.BasicLit:
			if s, ok := value(n); ok {
				all = append(all, s)
			}
		}
		return true
	})
	return all, shown
}

// mentioned are all strings of the portal's Go code and templates, and where each is.
func mentioned(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for name, source := range sources(t, ".go") {
		all, shown := goStrings(t, name, source)
		for _, s := range all {
			found[s] = name
		}
		for _, s := range shown {
			if word.MatchString(s) {
				t.Errorf("%s shows people %q, which is not a text", name, s)
			}
		}
	}
	for name, source := range sources(t, ".html") {
		for _, a := range action.FindAllString(aside.ReplaceAllString(source, ""), -1) {
			for _, s := range literal.FindAllString(a, -1) {
				found[s[1:len(s)-1]] = name
			}
		}
	}
	return found
}

// TestTextsAreThereAndUsed compares the texts with what asks for them.
func TestTextsAreThereAndUsed(t *testing.T) {
	all, err := texts.Load()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]bool{}
	for key := range all {
		file, _, _ := strings.Cut(key, ".")
		files[file] = true
	}
	found := mentioned(t)
	asks := regexp.MustCompile(`^[a-z]+(\.[a-z0-9_-]+)+$`)
	for s, where := range found {
		file, _, _ := strings.Cut(s, ".")
		if files[file] && asks.MatchString(s) && !isFile(s) && !all.Has(s) && !all.Has(s+".one") && !begins(all, s+".") {
			t.Errorf("%s: there is no text %q", where, s)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if !asked(found, key) {
			t.Errorf("nothing shows the text %q", key)
		}
	}
}

// isFile reports whether s is a name of a file, or of a figure.
func isFile(s string) bool {
	return slices.Contains([]string{".html", ".css", ".js", ".svg", ".yaml", ".json", ".txt", ".jsonl", ".csv", ".env", ".cef", ".allowed", ".refused"}, path.Ext(s))
}

func begins(all texts.Texts, prefix string) bool {
	for key := range all {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

// asked reports whether a key is asked for: whole, as a count, or as something that
// is put behind a beginning that is written down. What is put behind those that all
// pages share is written down too.
func asked(found map[string]string, key string) bool {
	for _, ending := range []string{"", ".one", ".many", ".some"} {
		whole, ok := strings.CutSuffix(key, ending)
		if !ok {
			continue
		}
		if _, ok := found[whole]; ok {
			return true
		}
		for i := strings.LastIndexByte(whole, '.'); i > 0; i = strings.LastIndexByte(whole[:i], '.') {
			_, begun := found[whole[:i+1]]
			if begun && (!slices.Contains([]string{"menu.", "did."}, whole[:i+1]) || written(found, whole[i+1:])) {
				return true
			}
		}
	}
	return false
}

// written reports whether each part of a key's end is.
func written(found map[string]string, end string) bool {
	for part := range strings.SplitSeq(end, ".") {
		_, plain := found[part]
		_, dotted := found["."+part]
		if !plain && !dotted {
			return false
		}
	}
	return true
}
