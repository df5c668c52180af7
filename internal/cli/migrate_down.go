package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"causeway/internal/cells"
	"causeway/internal/store"
)

func newMigrateDown(file *string) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Take the last version of the schema back",
		Long: `Takes the last version of the schema back, so that the version of Causeway before
this one can start. Run it with the newer binary: the older one does not know how.
What only the newer version stores is lost; take a backup first.

It refuses while cells that started on the newer schema are alive: they would fail.
Cells of the version before, which still serve, go on.`,
		Args: noArgs,
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "confirm that data of the newer version may be lost")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := load(*file)
		if err != nil {
			return err
		}
		if !yes {
			return usageError{errors.New("migrate down loses what only the newer version stores: take a backup, then confirm by --yes")}
		}
		db, err := store.Open(cmd.Context(), store.Config{URL: c.Database.URL.Reveal()})
		if err != nil {
			return err
		}
		defer db.Close()
		down, err := db.MigrateDown(cmd.Context(), func(last store.Migration) error {
			return noneSince(cmd.Context(), db, last, c.Journal.StaleAfter)
		})
		if err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "Version %d of the schema (%s) was taken back.\n", down.Version, down.Name)
		return nil
	}
	return cmd
}

const (
	// cellsSince is the version of the schema that lists cells.
	cellsSince = 4
	// startSkew is how far the clocks of a cell and of the database may differ: a
	// cell that started so shortly before a version may have started after it.
	startSkew = time.Minute
)

// noneSince refuses while a cell is alive that may have started on a version: only
// such a cell needs it, because none starts on a schema that it does not know.
func noneSince(ctx context.Context, db *store.DB, last store.Migration, stale time.Duration) error {
	if last.Version < cellsSince {
		return nil
	}
	all, err := db.Cells().Cells(ctx)
	if err != nil {
		return err
	}
	var alive []string
	for _, c := range all {
		if needs(c, last, stale) {
			alive = append(alive, fmt.Sprintf("%s (%s, since %s)", c.Name, c.Version, instant(c.StartedAt)))
		}
	}
	if len(alive) > 0 {
		return fmt.Errorf("version %d of the schema is in use; stop first: %s\nNothing was changed. A cell that was killed counts for %s after it was last heard of",
			last.Version, strings.Join(alive, ", "), duration(gone(stale)))
	}
	return nil
}

func needs(c cells.Cell, last store.Migration, stale time.Duration) bool {
	return c.Unseen <= gone(stale) && c.StartedAt.After(last.AppliedAt.Add(-startSkew))
}

// gone is after how long a silent cell is none any more.
func gone(stale time.Duration) time.Duration { return max(2*stale, 10*time.Second) }
