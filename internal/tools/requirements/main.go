// Command requirements shows which requirement is proved by which tests:
//
//	go run ./internal/tools/requirements [flags] [go test flags and packages]
//
// It runs `go test -json` (or reads a saved stream, -from) and prints a row for
// every id of docs/requirements.tsv. A test carries an id by its name or by the
// name of a subtest above it: TestDeviceGrant_VCD18_VCD71, "VCD-18 rotates".
// Only an id with a passing test is proved; one that no test names, or whose
// tests were skipped, is shown as open. So is one of the kind U, which people see,
// while none of its tests used a browser: package browsertest marks those that do.
//
// The exit code is 0 unless something failed or a -require'd id is not proved.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"causeway/internal/tools/testjson"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("requirements", flag.ContinueOnError)
	flags.SetOutput(stderr)
	ids := flags.String("ids", "docs/requirements.tsv", "the requirements: id, kind, statement")
	from := flags.String("from", "", "read a saved go test -json stream, - for stdin, instead of running the tests")
	only := flags.String("only", "", "families to show, e.g. VCD,R; empty shows all")
	require := flags.String("require", "", "ids that must be proved, e.g. VCD-1,VCD-4")
	jsonOut := flags.String("json", "", "also write the rows as JSON to this file")
	if flags.Parse(args) != nil {
		return 2
	}
	fail := func(err error) int { fmt.Fprintln(stderr, "requirements:", err); return 2 }

	reqs, err := load(*ids)
	if err != nil {
		return fail(err)
	}
	must, err := known(reqs, list(*require))
	if err != nil {
		return fail(err)
	}
	tests, code, err := collect(*from, flags.Args(), stdin, stderr)
	if err != nil {
		return fail(err)
	}
	r := newReport(reqs, tests)
	r.print(stdout, list(*only))
	if *jsonOut != "" {
		if err := r.writeJSON(*jsonOut); err != nil {
			return fail(err)
		}
	}
	if missing := r.unproved(must); len(missing) > 0 {
		fmt.Fprintln(stdout, "required but not proved:", strings.Join(missing, ", "))
		code = max(code, 1)
	}
	if tests.failed() {
		code = max(code, 1)
	}
	return code
}

// collect reads the stream from a file, from stdin, or from go test, whose exit
// code it returns.
func collect(from string, args []string, stdin io.Reader, stderr io.Writer) (*tests, int, error) {
	t := newTests()
	switch from {
	case "":
		code, err := goTest(args, t, stderr)
		return t, code, err
	case "-":
		return t, 0, testjson.Read(stdin, t.event)
	}
	f, err := os.Open(from)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	return t, 0, testjson.Read(f, t.event)
}

func goTest(args []string, t *tests, stderr io.Writer) (int, error) {
	if len(args) == 0 {
		args = []string{"./..."}
	}
	fmt.Fprintln(stderr, "running go test -json", strings.Join(args, " "))
	return testjson.GoTest(args, io.Discard, stderr, t.event)
}

func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}
