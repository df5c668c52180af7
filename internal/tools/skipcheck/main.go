// Command skipcheck runs `go test` and prints what it would print, and after
// that what was skipped and why, which go test only tells with -v:
//
//	skipcheck [-strict] [-o stream.json] -- [go test flags] packages
//
// With -strict a skipped test is a failure: in CI nothing may be missing. -o
// keeps the `go test -json` stream, which the requirements tool can read. Packages
// that the race detector ended by a fault of its own are run once more, and that is
// said; what fails then has failed.
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
	if *keep != "" {
		if err := os.Remove(*keep); err != nil && !errors.Is(err, os.ErrNotExist) {
			fmt.Fprintln(stderr, "skipcheck:", err)
			return 1
		}
	}
	p, v := newPrinter(stdout), newVerdict()
	code, err := goTest(flags.Args(), *keep, stderr, func(e testjson.Event) {
		v.event(e)
		p.event(e)
	})
	if again := v.again(); err == nil && len(again) > 0 {
		code, err = onceMore(flags.Args(), again, code, v.alone(), *keep, stdout, stderr, p)
	}
	if err != nil {
		fmt.Fprintln(stderr, "skipcheck:", err)
		return max(code, 1)
	}
	return p.finish(code, *strict)
}

// goTest adds to the stream that is kept.
func goTest(args []string, keep string, stderr io.Writer, each func(testjson.Event)) (code int, err error) {
	if keep == "" {
		return testjson.GoTest(args, io.Discard, stderr, each)
	}
	f, err := os.OpenFile(keep, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return testjson.GoTest(args, f, stderr, each)
}
