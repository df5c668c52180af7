package deptest

import (
	_ "embed"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

//go:embed parsers.tsv
var parsersTable string

// reads is what parsers are called here.
var reads = regexp.MustCompile(`^([Pp]arse|[Dd]ecode)([A-Z]\w*)?$`)

// Who adds a parser says which fuzz target reaches it, or why none has to.
func TestParsers_R15_EachHasAFuzzTarget(t *testing.T) {
	parsers, targets := functions(t, os.DirFS("../.."))
	if len(parsers) < 50 || len(targets) < 50 {
		t.Fatalf("only %d parsers and %d targets were found", len(parsers), len(targets))
	}
	for line := range strings.Lines(parsersTable) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(strings.TrimSpace(line), "\t")
		switch {
		case len(cells) < 2 || cells[1] == "-" && len(cells) != 3:
			t.Errorf("not parser and target, or parser, - and why: %q", line)
			continue
		case !parsers[cells[0]]:
			t.Errorf("there is no %s, or it is listed twice", cells[0])
		case cells[1] != "-" && !targets[cells[1]]:
			t.Errorf("%s is said to be reached by %s, which is not there", cells[0], cells[1])
		}
		delete(parsers, cells[0])
	}
	for name := range parsers {
		t.Errorf("parsers.tsv does not say what fuzzes %s", name)
	}
}

// functions are the parsers and the fuzz targets of all that goes into the binary.
func functions(t *testing.T, root fs.FS) (parsers, targets map[string]bool) {
	t.Helper()
	parsers, targets = map[string]bool{}, map[string]bool{}
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == "node_modules" || name == "internal/tools" || name == "internal/clients" || name == "bin" || name == "dist" || name == ".git" {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv != nil {
				continue
			}
			id := path.Dir(name) + "." + f.Name.Name
			switch test := strings.HasSuffix(name, "_test.go"); {
			case test && strings.HasPrefix(f.Name.Name, "Fuzz"):
				targets[id] = true
			case !test && reads.MatchString(f.Name.Name):
				parsers[id] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return parsers, targets
}
