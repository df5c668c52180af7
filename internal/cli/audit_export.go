package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"causeway/internal/apiclient"
	"causeway/internal/pause"
	"causeway/internal/trail"
	"causeway/internal/version"
)

// How --follow asks again: every followEvery where nothing happens, and after errors
// twice as late each time, up to followMostPause.
const (
	followEvery     = 2 * time.Second
	followMostPause = time.Minute
)

func newAuditExport() *cobra.Command {
	e := &exporter{}
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the audit trail for another system to keep, the oldest change first",
		Long: `Writes changes to the standard output, the oldest first, one on each line: as JSON,
or as CEF for collectors of security events. A site's lines come in the order of the
journal's numbers, and what is written later always comes later, so an export can be
resumed after the number it ended with: that is said at the end, and is also the last
line of JSON. Without that line, or with a code other than 0, it is not complete.

The provider's lines carry the digests of the journal: "audit verify --file" proves
later that nobody has changed them.

With --follow it goes on, and waits for what is written, until it is interrupted; what
could not be read meanwhile is asked for again.`,
		Example: `  causeway audit export --url https://west.example --user administrator > audit.jsonl
  causeway audit export --url https://west.example --user administrator --after 4711 >> audit.jsonl
  causeway audit export --dev --format cef --follow | logger --server siem.example --tcp --port 514`,
		Args: noArgs,
	}
	e.to = connectionFlags(cmd)
	e.filter.flags(cmd)
	f := cmd.Flags()
	f.Int64Var(&e.end.Next, "after", 0, "number of the row after which to go on")
	f.BoolVar(&e.follow, "follow", false, "go on when the end is reached")
	f.StringVar(&e.format, "format", "jsonl", "jsonl or cef")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return e.run(cmd) }
	return cmd
}

// exporter writes what it reads, and remembers how far it got.
type exporter struct {
	to     *connection
	filter trailFilter
	format string
	follow bool
	query  url.Values
	out    *bufio.Writer
	end    trail.End
}

func (e *exporter) run(cmd *cobra.Command) (err error) {
	if e.query, err = e.filter.query(); err != nil {
		return err
	}
	if e.format != "jsonl" && e.format != "cef" {
		return usageError{errors.New("--format is jsonl or cef")}
	}
	if e.follow && e.filter.until != "" {
		return usageError{errors.New("--follow has no end, and --until is one; give one of them")}
	}
	if e.end.Next < 0 {
		return usageError{errors.New("--after is the number of a row, or 0")}
	}
	e.out = bufio.NewWriter(cmd.OutOrStdout())
	if err = e.read(cmd); errors.As(err, new(usageError)) {
		return err
	}
	if finished := e.finish(cmd.ErrOrStderr()); err == nil {
		err = finished
	}
	if err != nil {
		return fmt.Errorf("the export is not complete, go on with --after %d: %w", e.end.Next, err)
	}
	return err
}

// read exports until it is complete, or for ever. A session that ended is begun
// anew.
func (e *exporter) read(cmd *cobra.Command) error {
	wait := followEvery
	for {
		began := e.end.Next
		err := e.to.with(cmd, func(ctx context.Context, c *apiclient.Client) error { return e.parts(ctx, c) })
		switch {
		case e.follow && e.end.Complete && cmd.Context().Err() != nil: // whoever follows ends it so
			return nil
		case !e.follow, cmd.Context().Err() != nil, !passes(err):
			return err
		case e.end.Next > began:
			wait = followEvery
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "causeway: %v; asking again in %s\n", err, wait)
		if !pause.For(cmd.Context(), wait) {
			return cmd.Context().Err()
		}
		wait = min(2*wait, followMostPause)
	}
}

// writeError says that what was read could not be written: nobody takes it.
type writeError struct{ error }

func (e writeError) Unwrap() error { return e.error }

// passes reports whether what failed may work later: what the site refused for what
// was asked does not.
func passes(err error) bool {
	var refused *apiclient.Error
	if errors.As(err, new(usageError)) || errors.As(err, new(writeError)) {
		return false
	}
	return !errors.As(err, &refused) || refused.Status >= http.StatusInternalServerError ||
		refused.Status == http.StatusUnauthorized || refused.Status == http.StatusTooManyRequests
}

func (e *exporter) parts(ctx context.Context, c *apiclient.Client) error {
	for {
		part, err := readTrail(ctx, c, e.query, "after", e.end.Next, 1000)
		if err != nil {
			e.end.Complete = false
			return err
		}
		for _, r := range part.Values {
			if err := e.write(r); err != nil {
				return writeError{err}
			}
		}
		if err := e.out.Flush(); err != nil {
			return writeError{err}
		}
		e.end.Next, e.end.Complete, e.end.Head = part.Next, !part.More, part.Head
		if part.More {
			continue
		}
		if !e.follow {
			return nil
		}
		if !pause.For(ctx, followEvery) {
			return ctx.Err()
		}
	}
}

func (e *exporter) write(r trail.Record) error {
	text := []byte(r.CEF(version.Get().Version))
	if e.format == "jsonl" {
		var err error
		if text, err = r.MarshalLine(); err != nil {
			return err
		}
	}
	_, err := e.out.Write(append(text, '\n'))
	e.end.Rows++
	e.end.Next = r.Seq // what follows it may not have been written when this fails
	return err
}

// finish says how far it got: to the receiver, where lines can, and to people.
func (e *exporter) finish(errs io.Writer) error {
	fmt.Fprintf(errs, "%d rows, up to %d", e.end.Rows, e.end.Next)
	if e.end.Head != nil {
		fmt.Fprintf(errs, "; the journal ends at %s", e.end.Head)
	}
	fmt.Fprintln(errs)
	if e.format == "jsonl" {
		text, err := e.end.MarshalLine()
		if err != nil {
			return err
		}
		_, _ = e.out.Write(append(text, '\n'))
	}
	return e.out.Flush()
}
