package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"causeway/internal/apiclient"
	"causeway/internal/journal"
	"causeway/internal/trail"
)

func verifyExport(cmd *cobra.Command, form *output, name string, expect journal.Head) error {
	in := cmd.InOrStdin()
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	found, err := trail.VerifyFile(in, expect)
	if err != nil {
		return fmt.Errorf("the export could not be verified: %w", err)
	}
	if err := form.print(cmd.OutOrStdout(), found, func(out io.Writer) error { return writeFileReport(out, found) }); err != nil {
		return err
	}
	switch {
	case found.Intact:
		return nil
	case len(found.Faults) == 0:
		return errors.New("the export proves nothing")
	}
	return errors.New("the export is not as the journal was")
}

func writeFileReport(out io.Writer, r trail.FileReport) error {
	for _, line := range fileLines(r) {
		if _, err := fmt.Fprintln(out, apiclient.Printable(line)); err != nil {
			return err
		}
	}
	return nil
}

func fileLines(r trail.FileReport) []string {
	lines := []string{"The export is as the journal was."}
	switch {
	case r.Rows == 0 && r.Intact:
		lines[0] = "The export holds no rows."
	case !r.Intact && len(r.Faults) == 0:
		lines[0] = "The export has no digests and proves nothing: the provider's has them."
	case !r.Intact:
		lines[0] = "The export is NOT as the journal was:"
	}
	for _, f := range r.Faults {
		lines = append(lines, "  - "+f.What)
	}
	if r.More > 0 {
		lines = append(lines, fmt.Sprintf("  - and %d more", r.More))
	}
	if r.Rows > 0 {
		lines = append(lines, fmt.Sprintf("Rows: %d, from %s to %s.", r.Rows, instant(r.First), instant(r.Last)))
	}
	if r.Gaps > 0 {
		lines = append(lines, fmt.Sprintf("Left out by a filter, or taken away: %d rows, in %d places.", r.Missing, r.Gaps))
	}
	if r.Repeated > 0 {
		lines = append(lines, fmt.Sprintf("Repeated: %d.", r.Repeated))
	}
	if !r.Ended {
		lines = append(lines, "It was cut off, or its journal went on: no last line says that it was complete.")
	}
	if len(r.Head.Hash) > 0 {
		lines = append(lines, fmt.Sprintf("Last row: %s", r.Head))
	}
	return lines
}
