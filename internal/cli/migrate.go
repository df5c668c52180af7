package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"causeway/internal/config"
	"causeway/internal/store"
)

func newMigrate() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database to the schema of this version",
		Long: `Brings the database to the schema of this version, as migrate up does. Safe to run
while cells of the version before serve, and by several at once.`,
		Args: noArgs,
	}
	file, form := configFlag(cmd), outputFlag(cmd, "table")
	up := func(cmd *cobra.Command, _ []string) error {
		c, err := load(*file)
		if err != nil {
			return err
		}
		return migrate(cmd, c)
	}
	cmd.RunE = up
	cmd.AddCommand(&cobra.Command{
		Use: "up", Short: "Bring the database to the schema of this version", Args: noArgs, RunE: up,
	}, &cobra.Command{
		Use:   "plan",
		Short: "Show what migrate up would run, and run nothing",
		Long: `Shows the versions that migrate up would apply, in their order, and changes nothing.

Cells of the version before go on serving after those of kind "expand". Before one of
kind "contract" they are to be stopped.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return showSchema(cmd, *file, form, func(m schemaVersion) bool { return m.AppliedAt == nil }, "The database schema is current: nothing would run.")
		},
	}, &cobra.Command{
		Use:   "status",
		Short: "List the versions of the schema, and when each was applied",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return showSchema(cmd, *file, form, func(schemaVersion) bool { return true }, "")
		},
	}, newMigrateDown(file))
	return cmd
}

func migrate(cmd *cobra.Command, c *config.Config) error {
	db, err := store.Open(cmd.Context(), store.Config{URL: c.Database.URL.Reveal()})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Migrate(cmd.Context()); err != nil {
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout(), "The database schema is current.")
	return nil
}

// schemaVersion is a version of the schema as it is shown.
type schemaVersion struct {
	Version   int64      `json:"version"`
	File      string     `json:"file"`
	Kind      string     `json:"kind"`
	What      string     `json:"what"`
	AppliedAt *time.Time `json:"appliedAt"`
}

func showSchema(cmd *cobra.Command, file string, form *output, which func(schemaVersion) bool, none string) error {
	if err := form.check(); err != nil {
		return err
	}
	c, err := load(file)
	if err != nil {
		return err
	}
	all, err := readSchema(cmd.Context(), c)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(v schemaVersion) bool { return !which(v) })
	return form.print(cmd.OutOrStdout(), all, func(out io.Writer) error {
		if len(all) == 0 {
			_, err := fmt.Fprintln(out, none)
			return err
		}
		var rows [][]string
		for _, v := range all {
			applied := "no"
			if v.AppliedAt != nil {
				applied = instant(*v.AppliedAt)
			}
			rows = append(rows, []string{strconv.FormatInt(v.Version, 10), v.File, v.Kind, applied, v.What})
		}
		return table(out, []string{"VERSION", "FILE", "KIND", "APPLIED", "WHAT CHANGES"}, rows)
	})
}

// readSchema makes no file and no table.
func readSchema(ctx context.Context, c *config.Config) ([]schemaVersion, error) {
	url := c.Database.URL.Reveal()
	db, err := store.Open(ctx, store.Config{URL: url, ReadOnly: true})
	if errors.Is(err, os.ErrNotExist) && strings.HasPrefix(url, "sqlite://") {
		return nil, fmt.Errorf("%w: migrate up makes it, and applies all versions", err)
	}
	if err != nil {
		return nil, err
	}
	defer db.Close()
	list, err := db.MigrationStatus(ctx)
	all := make([]schemaVersion, 0, len(list))
	for _, m := range list {
		v := schemaVersion{Version: m.Version, File: m.Name, Kind: string(m.Kind), What: m.What}
		if !m.AppliedAt.IsZero() {
			v.AppliedAt = &m.AppliedAt
		}
		all = append(all, v)
	}
	return all, err
}
