package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"causeway/internal/apiclient"
)

// output is in which form a command prints what it found: for people first, or
// for programs.
type output struct {
	format string
	human  string // what the form for people is called: text or table
}

// outputFlag adds -o to a command and those below it.
func outputFlag(cmd *cobra.Command, human string) *output {
	o := &output{human: human}
	cmd.PersistentFlags().StringVarP(&o.format, "output", "o", human, human+", json or yaml")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{human, "json", "yaml"}, cobra.ShellCompDirectiveNoFileComp))
	return o
}

// check refuses a form that there is not, before anything is asked for.
func (o *output) check() error {
	if formats := []string{o.human, "json", "yaml"}; !slices.Contains(formats, o.format) {
		return usageError{fmt.Errorf("--output is %s", strings.Join(formats, ", "))}
	}
	return nil
}

// print writes v for programs, or has human write it for people. The names of
// members are those of v's JSON in both.
func (o *output) print(out io.Writer, v any, human func(io.Writer) error) error {
	switch o.format {
	case "json":
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	case "yaml":
		body, err := yaml.MarshalWithOptions(v, yaml.UseJSONMarshaler())
		if err == nil {
			_, err = out.Write(body)
		}
		return err
	}
	return human(out)
}

// table writes rows below a header, in columns.
func table(out io.Writer, header []string, rows [][]string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{header}, rows...) {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

// listed asks do for a list and prints it; write is for people.
func listed[T any](cmd *cobra.Command, to *connection, form *output, write func(io.Writer, []T) error,
	do func(context.Context, *apiclient.Client) ([]T, error)) error {
	if err := form.check(); err != nil {
		return err
	}
	return to.with(cmd, func(ctx context.Context, c *apiclient.Client) error {
		list, err := do(ctx, c)
		if err != nil {
			return err
		}
		return form.print(cmd.OutOrStdout(), list, func(out io.Writer) error { return write(out, list) })
	})
}

// showingOnce is write for what was made, with what of it is shown this once.
func showingOnce[T any](write func(io.Writer, []T) error, what string, of func(T) string) func(io.Writer, []T) error {
	return func(out io.Writer, list []T) error {
		if err := write(out, list); err != nil {
			return err
		}
		for _, made := range list {
			if shown := of(made); shown != "" {
				fmt.Fprintf(out, "\n%s, shown once: %s\n", what, apiclient.Printable(shown))
			}
		}
		return nil
	}
}

// printable is a row of a table without what a terminal would take for commands.
func printable(row ...string) []string {
	for i := range row {
		row[i] = apiclient.Printable(row[i])
	}
	return row
}

// oneArg takes exactly one argument, which is not empty; what says which.
func oneArg(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 || args[0] == "" {
			return usageError{errors.New(what)}
		}
		return nil
	}
}

// someArgs takes one argument or more, none of them empty; what says which.
func someArgs(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 || slices.Contains(args, "") {
			return usageError{errors.New(what)}
		}
		return nil
	}
}
