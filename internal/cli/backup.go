package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"causeway/internal/apiclient"
	"causeway/internal/backup"
	"causeway/internal/journal"
	"causeway/internal/secret"
	"causeway/internal/store"
)

func newBackup() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Save the site's database to a file while the site serves",
		Long: `Saves the database as it is at one moment to a file: whole or not at all, readable
by its owner alone. The site may serve meanwhile. The file is the same for SQLite and
PostgreSQL, and can be restored into either.

It holds what the database holds: names, digests and sealed keys. The master key is not
in it and must be kept apart: without it the backup opens nothing, and cannot be
restored. An older file of that name is replaced.`,
		Example: `  causeway backup -c causeway.yaml /var/backups/causeway/today.backup`,
		Args:    oneArg("backup takes the file to write"),
	}
	file, form := configFlag(cmd), outputFlag(cmd, "text")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := form.check(); err != nil {
			return err
		}
		db, keys, err := openDatabase(cmd.Context(), *file, true)
		if err != nil {
			return err
		}
		defer db.Close()
		line := progressOn(cmd, "saved")
		m, err := backup.Write(cmd.Context(), db, args[0], backup.Options{Keys: keys, Now: time.Now, Progress: line.report})
		if err != nil {
			return err
		}
		return form.print(cmd.OutOrStdout(), m, func(out io.Writer) error { return writeManifest(out, args[0], m) })
	}
	return cmd
}

func newVerify() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Prove that a backup is whole and can be restored",
		Long: `Compares a backup with its checksums, restores it into a database that is thrown away,
and verifies there that rows refer to rows that are there, and the journal's whole chain
with what is sealed into it. Neither the site's database nor its keys are needed; with
--config, the site's master key also proves that nobody else has written the file.

It needs room for the database that is thrown away, in --folder or beside the file.
It ends with 0, or with 1 and what is wrong.`,
		Args: oneArg("verify takes the file of one backup"),
	}
	file, form := configFlag(cmd), outputFlag(cmd, "text")
	folder := cmd.Flags().String("folder", "", "where the database that is thrown away has room (default: beside the file)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := form.check(); err != nil {
			return err
		}
		if *folder == "" {
			*folder = filepath.Dir(args[0])
		}
		line := progressOn(cmd, "verified")
		found, err := backup.Verify(cmd.Context(), args[0], *folder, line.report)
		if err != nil {
			return err
		}
		by := "Who wrote it was not looked at: give --config."
		if cmd.Flags().Changed("config") {
			if err := checkKey(cmd.Context(), *file, found.Manifest); err != nil {
				return err
			}
			by = "It was written with the master key of the configuration."
		}
		err = form.print(cmd.OutOrStdout(), found, func(out io.Writer) error {
			if err := writeManifest(out, args[0], found.Manifest); err != nil {
				return err
			}
			fmt.Fprintln(out, by)
			return writeAudit(out, found.Journal)
		})
		if err == nil && !found.Journal.Intact {
			err = errors.New("the audit trail in the backup is not as it was written")
		}
		return err
	}
	return cmd
}

func checkKey(ctx context.Context, file string, m backup.Manifest) error {
	c, err := load(file)
	if err != nil {
		return err
	}
	keys, err := c.Keys.Master(false).Load(ctx)
	if err != nil {
		return err
	}
	return m.CheckKey(keys)
}

func writeManifest(out io.Writer, file string, m backup.Manifest) error {
	_, err := fmt.Fprintf(out, "%s: site %s (%s) as of %s, %d rows, schema %d, journal up to %s.\n", file,
		apiclient.Printable(m.SiteName), apiclient.Printable(m.SiteID), instant(m.TakenAt), m.Rows(), m.Schema, m.Head)
	return err
}

func newRestore() *cobra.Command {
	var o backup.Restoring
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Fill an empty database from a backup, reviving no credential",
		Long: `Fills the database of the configuration, which must be empty, from a backup: all of it
or nothing. It needs the site's master key.

A backup does not know what was rotated, replaced or revoked after it. So whatever could
have been is ended, and the report names it for each organization:

  refresh tokens of service accounts   an administrator grants access again; but those go
                                       on of which the watermark (database.watermark)
                                       proves that nothing happened to them
  API tokens of users                  their owners create others
  secrets of apps                      their owners make others
  passwords of users                   whoever may edit them sets others; the provider's
                                       first comes back by causeway recover-admin
  sessions, device codes               people log in, apps ask, again
  keys that sign tokens                the site makes others when it starts

--keep-passwords keeps passwords: for who knows that none was changed since the backup
because somebody else knew it.`,
		Example: `  causeway restore -c causeway.yaml /var/backups/causeway/today.backup
  causeway restore -c causeway.yaml -o json today.backup > report.json`,
		Args: oneArg("restore takes the file of one backup"),
	}
	file, form := configFlag(cmd), outputFlag(cmd, "text")
	cmd.Flags().BoolVar(&o.KeepPasswords, "keep-passwords", false, "users keep their passwords")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := form.check(); err != nil {
			return err
		}
		db, keys, err := openDatabase(cmd.Context(), *file, false)
		if err != nil {
			return err
		}
		defer db.Close()
		if o.Watermark, err = openWatermark(cmd.Context(), *file); err != nil {
			return err
		}
		if o.Watermark != nil {
			defer o.Watermark.Close()
		}
		line := progressOn(cmd, "restored")
		o.Keys, o.Now, o.By, o.Progress = keys, time.Now, operator(), line.report
		report, err := backup.Restore(cmd.Context(), db, args[0], o)
		if errors.Is(err, store.ErrNotEmpty) {
			return fmt.Errorf("%w; nothing was changed. Move the old database away, or name an empty one in the configuration", err)
		}
		if err != nil && report.RestoredAt.IsZero() {
			return err
		}
		// What was written stays written when the schema's last versions fail: the
		// report is told once.
		return errors.Join(form.print(cmd.OutOrStdout(), report, func(out io.Writer) error { return writeRestored(out, report) }), err)
	}
	return cmd
}

func writeRestored(out io.Writer, r backup.Report) error {
	lines := []string{
		fmt.Sprintf("Site %s (%s) is as of %s again: %d rows.", r.Site, r.SiteID, instant(r.TakenAt), r.Rows),
		fmt.Sprintf("Ended: %d sessions, %d device codes, %d signing keys.", r.Sessions, r.DeviceCodes, r.SigningKeys),
		fmt.Sprintf("Start no cell before %s: until then a request that another site sent could be sent again.", instant(r.RestoredAt.Add(backup.AssertionsOver))),
		fmt.Sprintf("Note the new head of the journal: %s", r.Head),
	}
	switch {
	case r.Proved:
		lines = append(lines, "Refresh tokens go on where the watermark proves that nothing happened to them.")
	case r.Watermark != "":
		lines = append(lines, "The site kept the watermark "+r.Watermark+", which is not the one of database.watermark: no refresh token goes on.")
	default:
		lines = append(lines, "No watermark was kept when the backup was made: no refresh token goes on.")
	}
	if r.Passwords {
		lines = append(lines, "Users keep the passwords of then.")
	}
	if len(r.Organizations) == 0 {
		lines = append(lines, "No organization had credentials that ended.")
	}
	for _, org := range r.Organizations {
		lines = append(lines, "", org.Org+" ("+org.ID+"):")
		for _, what := range []struct {
			needs string
			names []string
		}{
			{"service accounts that go on", org.Continuing},
			{"service accounts to be granted access again", said(org.Accounts)},
			{"API tokens to be created again", org.APITokens},
			{"apps that need another secret", org.Apps},
			{"users without a password now", org.Users},
		} {
			if len(what.names) > 0 {
				lines = append(lines, fmt.Sprintf("  %s: %s", what.needs, some(what.names)))
			}
		}
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(out, apiclient.Printable(line)); err != nil {
			return err
		}
	}
	return nil
}

func said(accounts []backup.Account) (list []string) {
	for _, a := range accounts {
		list = append(list, a.String())
	}
	return list
}

// some are the first of names: -o json has them all.
func some(names []string) string {
	const most = 20
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more (-o json names all)", strings.Join(names[:most], ", "), len(names)-most)
}

// openDatabase opens the database of a configuration and the master key beside it.
func openDatabase(ctx context.Context, file string, readOnly bool) (db *store.DB, keys *secret.Keys, err error) {
	c, err := load(file)
	if err != nil {
		return nil, nil, err
	}
	if keys, err = c.Keys.Master(false).Load(ctx); err != nil {
		return nil, nil, err
	}
	db, err = store.Open(ctx, store.Config{URL: c.Database.URL.Reveal(), ReadOnly: readOnly})
	return db, keys, err
}

// operator is whoever runs a command on the site's machine.
func operator() journal.Actor {
	name := os.Getenv("SUDO_USER")
	if name == "" {
		name = os.Getenv("USER")
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return journal.Actor{Kind: journal.KindOperator, Name: apiclient.Printable(name)}
}

// rowsLine tells how far a copy has come, every two seconds.
type rowsLine struct {
	out  io.Writer
	verb string
	now  func() time.Time
	told time.Time
}

func progressOn(cmd *cobra.Command, verb string) *rowsLine {
	return &rowsLine{out: cmd.ErrOrStderr(), verb: verb, now: time.Now, told: time.Now()}
}

func (l *rowsLine) report(p backup.Progress) {
	if t := l.now(); t.Sub(l.told) >= progressEvery {
		l.told = t
		fmt.Fprintf(l.out, "%d of %d rows %s (%s)\n", p.Rows, p.Of, l.verb, p.Table)
	}
}
