package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"causeway/internal/apiclient"
	"causeway/internal/config"
	"causeway/internal/doctor"
)

func newDoctor() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find out what is wrong with a site, why it matters and what to do",
		Long: `Examines a site and changes nothing.

With --config it runs on the machine of a cell, best as the cell's user and while
the cell runs: configuration, files and who may read them, master key, database
(reached, schema, writable, disk, clock), certificate (chain, host, expiry, key),
ports, gossip keys, upstreams of services, associated sites with their pinned keys,
and the public URL: whether it leads to this site, whether the balancer passes on
who the client is, and whether the first steps of common clients work.

With --url it looks at a site from anywhere, as a client does.

Exit codes: 0 nothing has failed (there may be warnings), 1 the examination itself
failed, 2 wrong command line, 6 something has failed, or with --strict is a warning.`,
		Example: `  causeway doctor --config /etc/causeway/causeway.yaml
  causeway doctor --url https://west.example.com --org acme
  causeway doctor -c causeway.yaml -o json --strict`,
		Args: noArgs,
	}
	file, form := configFlag(cmd), outputFlag(cmd, "text")
	f := cmd.Flags()
	url := f.String("url", "", "examine this site from outside, https://host[:port], without its configuration")
	org := f.String("org", "", "with --url: a tenant's organization whose OAuth endpoints are looked at too")
	ca := f.String("ca", "", "with --url: file with certificates to trust besides the system's (PEM)")
	strict := f.Bool("strict", false, "a warning counts as a failure")
	all := f.Bool("all", false, "also print what is well")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := form.check(); err != nil {
			return err
		}
		if *url == "" && (*org != "" || *ca != "") {
			return usageError{errors.New("--org and --ca go with --url")}
		}
		if *url != "" && f.Changed("config") {
			return usageError{errors.New("--url and --config exclude each other; give one")}
		}
		found, err := examine(cmd, *file, *url, *ca, *org)
		if err != nil {
			return err
		}
		if err := form.print(cmd.OutOrStdout(), found, func(out io.Writer) error { return writeFindings(out, found, *all) }); err != nil {
			return err
		}
		if worst := doctor.Worst(found); worst == doctor.Failed || *strict && worst == doctor.Warning {
			return exitError{errors.New("faults were found"), exitFaults}
		}
		return nil
	}
	return cmd
}

func examine(cmd *cobra.Command, file, url, ca, org string) ([]doctor.Finding, error) {
	if url != "" {
		base, err := apiclient.BaseURL(url)
		if err != nil {
			return nil, usageError{err}
		}
		return doctor.Outside(cmd.Context(), base, ca, org, doctor.Options{})
	}
	c, err := config.Load(config.Source{Path: file, Environ: os.Environ()})
	if faults, ok := errors.AsType[*config.Faults](err); ok {
		var list []string
		for _, f := range faults.List {
			list = append(list, f.String())
		}
		return doctor.Misconfigured(list), nil
	}
	if err != nil {
		return nil, err
	}
	return doctor.Cell(cmd.Context(), c, doctor.Options{File: file}), nil
}

// writeFindings prints what is not well, and how much there was to look at.
func writeFindings(out io.Writer, found []doctor.Finding, all bool) error {
	counts := map[doctor.Severity]int{}
	for _, f := range found {
		counts[f.Severity]++
		if f.Severity == doctor.OK && !all {
			continue
		}
		fmt.Fprintf(out, "%-7s  %s: %s\n", strings.ToUpper(string(f.Severity)), f.Check, apiclient.Printable(f.What))
		if f.Why != "" {
			fmt.Fprintf(out, "         why: %s\n         do:  %s\n", f.Why, f.Do)
		}
	}
	_, err := fmt.Fprintf(out, "%d ok, %d warnings, %d failed, %d not looked at.\n",
		counts[doctor.OK], counts[doctor.Warning], counts[doctor.Failed], counts[doctor.Skipped])
	return err
}
