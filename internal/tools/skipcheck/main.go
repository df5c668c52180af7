// Command skipcheck runs `go test` and prints what it would print, and after
// that what was skipped and why, which go test only tells with -v:
//
//	skipcheck [-strict] [-o stream.json] -- [go test flags] packages
//
// With -strict a skipped test is a failure: in CI nothing may be missing. -o
// keeps the `go test -json` stream, which the requirements tool can read.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"causeway/internal/tools/testjson"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("skipcheck", flag.ContinueOnError)
	flags.SetOutput(stderr)
	strict := flags.Bool("strict", false, "fail when a test was skipped")
	keep := flags.String("o", "", "write the go test -json stream to this file")
	if flags.Parse(args) != nil {
		return 2
	}
	p := newPrinter(stdout)
	code, err := goTest(flags.Args(), *keep, stderr, p)
	if err != nil {
		fmt.Fprintln(stderr, "skipcheck:", err)
		return max(code, 1)
	}
	return p.finish(code, *strict)
}

func goTest(args []string, keep string, stderr io.Writer, p *printer) (code int, err error) {
	if keep == "" {
		return testjson.GoTest(args, io.Discard, stderr, p.event)
	}
	f, err := os.Create(keep)
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return testjson.GoTest(args, f, stderr, p.event)
}
