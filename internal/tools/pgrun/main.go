// Command pgrun runs a command beside a throw-away PostgreSQL:
//
//	go run ./internal/tools/pgrun [-durable] [-bin dir] -- go test ./...
//
// The command finds a superuser's URL of the database postgres in
// CAUSEWAY_TEST_POSTGRES. When it ends, the cluster is stopped and removed and
// pgrun exits with the command's code (`go run` turns any failure into 1; build
// pgrun to see the code itself). The cluster also goes when pgrun is killed.
//
// Without PostgreSQL the command runs without the variable, unless CI=true:
// there a missing database is a failure.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"

	"causeway/internal/pgcluster"
	"causeway/internal/tools/child"
)

// dsnVar is what the store's tests read.
const dsnVar = "CAUSEWAY_TEST_POSTGRES"

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("pgrun", flag.ContinueOnError)
	flags.SetOutput(stderr)
	durable := flags.Bool("durable", false, "write as production does (fsync, full page writes, synchronous commit)")
	bin := flags.String("bin", "", "directory of initdb, postgres and pg_ctl; empty looks in the usual places")
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: pgrun [-durable] [-bin dir] -- command [argument...]")
		flags.PrintDefaults()
	}
	if flags.Parse(args) != nil {
		return 2
	}
	if flags.NArg() == 0 {
		flags.Usage()
		return 2
	}
	cmd := exec.Command(flags.Arg(0), flags.Args()[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, stdout, stderr

	dir, ok := pgcluster.Find(*bin)
	if !ok {
		return withoutPostgres(cmd, stderr)
	}
	cluster, err := pgcluster.Start(context.Background(), dir, *durable)
	if err != nil {
		fmt.Fprintln(stderr, "pgrun:", err)
		return 1
	}
	cmd.Env = append(os.Environ(), dsnVar+"="+cluster.URL())
	code := execute(cmd, stderr)
	if err := cluster.Stop(); err != nil {
		fmt.Fprintln(stderr, "pgrun:", err)
		return max(code, 1)
	}
	return code
}

func withoutPostgres(cmd *exec.Cmd, stderr io.Writer) int {
	if ci, _ := strconv.ParseBool(os.Getenv("CI")); ci {
		fmt.Fprintln(stderr, "PostgreSQL not found, and in CI (CI=true) that is a failure; install the Debian package postgresql")
		return 1
	}
	fmt.Fprintln(stderr, "PostgreSQL not found: the PostgreSQL half of the suite is left out; install the Debian package postgresql")
	return execute(cmd, stderr)
}

func execute(cmd *exec.Cmd, stderr io.Writer) int {
	code, err := child.Run(cmd)
	if err != nil {
		fmt.Fprintln(stderr, "pgrun:", err)
	}
	return code
}
