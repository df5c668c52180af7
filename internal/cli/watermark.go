package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"causeway/internal/config"
	"causeway/internal/journal"
	"causeway/internal/store"
	"causeway/tenants"
)

func newWatermark() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "watermark",
		Short: "Keep outside the database what lets refresh tokens outlive a restore",
		Long: `The watermark is a small database away from the site's. Before a refresh token is renewed
or revoked, or something it depends on changes, that is noted there. So a restore can
prove of a token that nothing happened to it after the backup, and lets it go on.

Name it in the configuration of every cell (database.watermark), stop all cells, run
watermark begin, and start them: they refuse to start without it from then on, and renew
no token while it cannot be written to.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newWatermarkBegin(), newWatermarkEnd())
	return cmd
}

func newWatermarkBegin() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "begin",
		Short: "Begin to keep the watermark, while no cell runs",
		Long: `Makes the watermark in the database of database.watermark, which must hold none, and
notes in the audit trail that the site keeps it. All cells must have stopped: one that
runs would renew tokens and note nothing.

It helps backups that are made afterwards.`,
		Args: noArgs,
	}
	file := configFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return onWatermark(cmd.Context(), *file, func(db *store.DB, w *store.Watermark, named string) error {
			if named != "" {
				return errors.New("the site keeps a watermark already; causeway watermark end comes first")
			}
			if w == nil {
				return usageError{errors.New("database.watermark is not configured")}
			}
			err := w.Begin(cmd.Context())
			if errors.Is(err, store.ErrWatermarkUsed) {
				return fmt.Errorf("%w: by another site, or by this one before. Nothing was changed; name an empty database", err)
			}
			if err == nil {
				err = recordWatermark(cmd.Context(), db, journal.WatermarkBegan, w.ID())
			}
			if err != nil {
				return errors.Join(err, w.End(cmd.Context()))
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "The watermark %s is kept from now on. Start the cells, then take a backup: it is the first that the watermark helps.\n", w.ID())
			return err
		})
	}
	return cmd
}

func newWatermarkEnd() *cobra.Command {
	var lost bool
	cmd := &cobra.Command{
		Use:   "end",
		Short: "Keep no watermark any more, while no cell runs",
		Long: `Empties the watermark and notes in the audit trail that the site keeps none. Restoring
a backup then ends every refresh token. All cells must have stopped.

--lost is for a watermark that is gone. Should it turn up again, destroy it: it does not
know what happens from now on, and would prove what is not true.`,
		Args: noArgs,
	}
	file := configFlag(cmd)
	cmd.Flags().BoolVar(&lost, "lost", false, "the watermark is gone and will never be used again")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		open := onWatermark
		if lost {
			open = onDatabase
		}
		return open(cmd.Context(), *file, func(db *store.DB, w *store.Watermark, named string) error {
			switch {
			case named == "":
				return errors.New("the site keeps no watermark")
			case lost:
			case w == nil || w.ID() != named && !w.Ended(named):
				return fmt.Errorf("%w. Nothing was changed; --lost if it is gone", store.ErrWatermark)
			default: // first, so that it proves nothing however this ends
				if err := w.End(cmd.Context()); err != nil {
					return err
				}
			}
			if err := recordWatermark(cmd.Context(), db, journal.WatermarkEnded, named); err != nil {
				return err
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "The site keeps no watermark. Take database.watermark out of the configuration of its cells.")
			return err
		})
	}
	return cmd
}

// onWatermark calls f with what is configured while no cell runs; w is nil if no
// watermark is.
func onWatermark(ctx context.Context, file string, f func(db *store.DB, w *store.Watermark, named string) error) error {
	w, err := openWatermark(ctx, file)
	if err != nil {
		return err
	}
	if w != nil {
		defer w.Close()
	}
	return onDatabase(ctx, file, func(db *store.DB, _ *store.Watermark, named string) error { return f(db, w, named) })
}

func onDatabase(ctx context.Context, file string, f func(db *store.DB, w *store.Watermark, named string) error) error {
	c, err := load(file)
	if err != nil {
		return err
	}
	db, _, err := openDatabase(ctx, file, false)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.CheckSchema(ctx); err != nil {
		return err
	}
	if err := noneAlive(ctx, db, c); err != nil {
		return err
	}
	named, err := db.NamedWatermark(ctx)
	if err != nil {
		return err
	}
	return f(db, nil, named)
}

// openWatermark is nil where none is configured.
func openWatermark(ctx context.Context, file string) (*store.Watermark, error) {
	c, err := load(file)
	if err != nil || c.Database.Watermark.Reveal() == "" {
		return nil, err
	}
	return store.OpenWatermark(ctx, c.Database.Watermark.Reveal())
}

func noneAlive(ctx context.Context, db *store.DB, c *config.Config) error {
	all, err := db.Cells().Cells(ctx)
	if err != nil {
		return err
	}
	var alive []string
	for _, cell := range all {
		if cell.Unseen <= gone(c.Journal.StaleAfter) {
			alive = append(alive, cell.Name)
		}
	}
	if len(alive) > 0 {
		return fmt.Errorf("stop first: %s\nNothing was changed. A cell that was killed counts for %s after it was last heard of",
			strings.Join(alive, ", "), duration(gone(c.Journal.StaleAfter)))
	}
	return nil
}

func recordWatermark(ctx context.Context, db *store.DB, action journal.Action, id string) error {
	return db.Tenants().InTx(ctx, func(tx tenants.Tx) error {
		return tx.Record(store.WatermarkEntry(time.Now(), operator(), action, id))
	})
}
