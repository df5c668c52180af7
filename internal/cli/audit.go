package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"causeway/internal/apiclient"
	"causeway/internal/config"
	"causeway/internal/journal"
	"causeway/internal/store"
)

func newAudit() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Read the audit trail, hand it on, and prove that nobody has changed it",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newAuditList(), newAuditExport(), newAuditVerify(), newAuditWebhook())
	return cmd
}

func newAuditVerify() *cobra.Command {
	var expect, exported string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Verify the journal's chain, and the events that are sealed into it",
		Long: `Verifies the whole journal of a site: that each row is as it was written and
follows the one before, and that the token events and refusals are those that the
journal sealed. It reads the database of the configuration and changes nothing;
the site may serve meanwhile. It ends with 1 when something was changed, removed
or put in, and says what and where.

Whoever owns the database can write all of it anew. Note the head that is printed
where they cannot get at it, and give it to --expect-head the next time: then that
is found, too.

With --file it verifies what "audit export" wrote, without a database: that each line
is as the journal's row was, and follows the one before where their numbers do.`,
		Example: `  causeway audit verify -c causeway.yaml
  causeway audit verify -c causeway.yaml --expect-head 4711:9f86d081884c7d659a2f…
  causeway audit verify --file audit.jsonl`,
		Args: noArgs,
	}
	file, form := configFlag(cmd), outputFlag(cmd, "text")
	cmd.Flags().StringVar(&expect, "expect-head", "", "SEQ:HASH that was noted before and must be there")
	cmd.Flags().StringVar(&exported, "file", "", "verify this export instead; - reads the standard input")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := form.check(); err != nil {
			return err
		}
		o := journal.Options{}
		if cmd.Flags().Changed("expect-head") {
			var err error
			if o.Expect, err = journal.ParseHead(expect); err != nil {
				return usageError{err}
			}
		}
		if exported != "" {
			return verifyExport(cmd, form, exported, o.Expect)
		}
		c, err := load(*file)
		if err != nil {
			return err
		}
		found, err := verifyAudit(cmd.Context(), c, o, cmd.ErrOrStderr())
		if err != nil {
			return fmt.Errorf("the audit trail could not be verified: %w", err)
		}
		if err := form.print(cmd.OutOrStdout(), found, func(out io.Writer) error { return writeAudit(out, found) }); err != nil {
			return err
		}
		if !found.Intact {
			return errors.New("the audit trail is not as it was written")
		}
		return nil
	}
	return cmd
}

func verifyAudit(ctx context.Context, c *config.Config, o journal.Options, errs io.Writer) (journal.Report, error) {
	db, err := store.Open(ctx, store.Config{URL: c.Database.URL.Reveal(), ReadOnly: true})
	if err != nil {
		return journal.Report{}, err
	}
	defer db.Close()
	if err := db.CheckSchema(ctx); err != nil {
		return journal.Report{}, err
	}
	if f, ok := errs.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		o.Progress = drawAudit(f, time.Now)
		defer fmt.Fprint(f, "\r\x1b[K")
	}
	return journal.Verify(ctx, db.Archive(), o)
}

// drawAudit draws one line again, five times a second at most.
func drawAudit(out io.Writer, now func() time.Time) func(rows, events int64) {
	var drawn time.Time
	return func(rows, events int64) {
		if t := now(); t.Sub(drawn) >= time.Second/5 {
			drawn = t
			fmt.Fprintf(out, "\r\x1b[K%d rows of the journal, %d sealed events", rows, events)
		}
	}
}

func writeAudit(out io.Writer, r journal.Report) error {
	for _, line := range auditLines(r) {
		if _, err := fmt.Fprintln(out, apiclient.Printable(line)); err != nil {
			return err
		}
	}
	return nil
}

func auditLines(r journal.Report) []string {
	verdict := "The audit trail is as it was written."
	if !r.Intact {
		verdict = "The audit trail is NOT as it was written:"
	}
	lines := []string{verdict}
	for _, f := range r.Faults {
		lines = append(lines, "  - "+f.What)
	}
	if r.More > 0 {
		lines = append(lines, fmt.Sprintf("  - and %d more", r.More))
	}
	if r.Rows == 0 {
		return append(lines, "The journal is empty.")
	}
	lines = append(lines, fmt.Sprintf("Journal: %d rows, from %s to %s.", r.Rows, instant(r.First), instant(r.Last)))
	for _, l := range r.Logs {
		lines = append(lines, l.String())
	}
	return append(lines, fmt.Sprintf("Head: %s", r.Head), "Note the head elsewhere: --expect-head finds later whether the journal was written anew.")
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }
