package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"causeway/internal/config"
	filling "causeway/internal/load"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
)

func newLoad() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "load",
		Short: "Fill a trial site with organizations, users and service accounts, to size it",
		Long: `Fills the site's database with made-up organizations, each with users, roles of
its own and service accounts, to see how large the database and how fast the site
is at the size you expect. It is not for a site that serves anybody: it refuses
one with other organizations unless it is forced, and nothing takes the
organizations away again but deleting them.

Each organization gets one user named "` + filling.AdministratorName + `", who can log in with the
password in --password-file; all other users have a password that nobody knows.
Of ten accounts six are active and two have an open request; no token or code of
theirs exists.

Organizations are numbered, and each is written whole or not at all: after an
interruption, or to make the site larger, run the command again. Organizations
that are there already stay as they are. The journal gets one row for each
organization, none for what is in it, so cells that serve learn of them at once.`,
		Example: `  causeway load -c causeway.yaml --organizations 100
  causeway load -c causeway.yaml --organizations 10000 --users 10 --accounts 100 --password-file admin.txt`,
		Args: noArgs,
	}
	file := configFlag(cmd)
	var o filling.Options
	cmd.Flags().IntVar(&o.Organizations, "organizations", 100, "organizations in all")
	cmd.Flags().IntVar(&o.Users, "users", 10, "users of each organization")
	cmd.Flags().IntVar(&o.Accounts, "accounts", 100, "service accounts of each organization")
	cmd.Flags().BoolVar(&o.Force, "force", false, "also at a site with other organizations")
	passwordFile := cmd.Flags().String("password-file", "", "file with the password of the administrators")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := load(*file)
		if err != nil {
			return err
		}
		if o.Password, err = readPassword(*passwordFile); err != nil {
			return usageError{err}
		}
		return fill(cmd.Context(), c, o, cmd.OutOrStdout(), cmd.ErrOrStderr())
	}
	return cmd
}

// readPassword reads a file, so that the password is in no list of processes.
func readPassword(file string) (secret.Text, error) {
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	password := strings.TrimRight(string(text), "\r\n")
	if password == "" {
		return "", fmt.Errorf("%s holds no password", file)
	}
	return secret.Text(password), nil
}

func fill(ctx context.Context, c *config.Config, o filling.Options, out, progress io.Writer) error {
	db, err := store.Open(ctx, store.Config{URL: c.Database.URL.Reveal()})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.CheckSchema(ctx); err != nil {
		return err
	}
	line := &progressLine{out: progress, now: time.Now}
	err = filling.Run(ctx, db, o, line.report)
	line.end()
	switch {
	case errors.Is(err, filling.ErrForeign):
		return fmt.Errorf("%w; nothing was changed. Load a trial site, or use --force", err)
	case errors.Is(err, filling.ErrNotSetUp):
		return fmt.Errorf("%w: run causeway init first", err)
	case problem.Has(err, problem.BadRequest):
		return usageError{err}
	case err != nil:
		return fmt.Errorf("%w\nWhat was made stays; run the command again to go on", err)
	}
	p := line.last
	fmt.Fprintf(out, "The site has %d organizations of this load; %d are new, with %d users and %d service accounts.\n",
		o.Organizations, p.Organizations, p.Users, p.Accounts)
	return nil
}

// progressEvery keeps a log of it readable.
const progressEvery = 2 * time.Second

// progressLine tells how far a load has come.
type progressLine struct {
	out     io.Writer
	now     func() time.Time
	printed time.Time
	last    filling.Progress
	told    filling.Progress
}

func (l *progressLine) report(p filling.Progress) {
	l.last = p
	if l.now().Sub(l.printed) >= progressEvery {
		l.print()
	}
}

// end prints what the last line left out.
func (l *progressLine) end() {
	if l.last != l.told {
		l.print()
	}
}

func (l *progressLine) print() {
	l.printed, l.told = l.now(), l.last
	p := l.last
	fmt.Fprintf(l.out, "%d of %d organizations, %d accounts a second, %s, %s left\n", p.Already+p.Organizations, p.Of,
		int(float64(p.Accounts)/max(p.Elapsed.Seconds(), 0.001)), p.Elapsed.Round(time.Second), p.Left().Round(time.Second))
}
