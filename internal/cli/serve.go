package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"causeway/internal/config"
	"causeway/internal/logs"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/site"
	"causeway/tenants"
)

var errBase = errors.New("--listen-base is 0 or a port from 1024 to 65000")

// configFlag is how every command that needs a site finds its configuration.
func configFlag(cmd *cobra.Command) *string {
	return cmd.PersistentFlags().StringP("config", "c", "/etc/causeway/causeway.yaml", "configuration file")
}

func load(file string) (*config.Config, error) {
	c, err := config.Load(config.Source{Path: file, Environ: os.Environ()})
	if err != nil {
		return nil, usageError{err}
	}
	return c, nil
}

func newServe() *cobra.Command {
	cmd := &cobra.Command{Use: "serve", Short: "Run one cell of a site", Args: noArgs}
	file := configFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := load(*file)
		if err != nil {
			return err
		}
		log, level, flush := newLogger(c.Log)
		defer flush()
		hangup := make(chan os.Signal, 1)
		signal.Notify(hangup, syscall.SIGHUP) // from here on it does not end the process
		defer signal.Stop(hangup)
		s, err := site.New(cmd.Context(), c, site.Options{Log: log})
		if err != nil {
			return err
		}
		if err := s.Start(cmd.Context()); err != nil {
			return errors.Join(err, stop(s, c.Operations, log))
		}
		log.Info("serving", "site", s.Self().Name, "id", s.Self().ID, "public", s.Addr("public"), "peer", s.Addr("peer"))
		for {
			select {
			case <-hangup:
				if next := reload(s, *file, log, level); next != nil {
					c = next
				}
			case <-cmd.Context().Done():
				log.Info("stopping", "drain_delay", c.Operations.DrainDelay, "drain_timeout", c.Operations.DrainTimeout)
				s.Drain(context.Background(), c.Operations.DrainDelay)
				return stop(s, c.Operations, log)
			case err := <-s.Failed():
				return errors.Join(err, stop(s, c.Operations, log))
			}
		}
	}
	return cmd
}

// reload reads the configuration again while the site serves, and returns what now
// counts. A faulty one changes nothing, and nothing is returned.
func reload(s *site.Site, file string, log *slog.Logger, level *slog.LevelVar) *config.Config {
	c, err := config.Load(config.Source{Path: file, Environ: os.Environ()})
	var faults *config.Faults
	switch {
	case errors.As(err, &faults):
		for _, fault := range faults.List {
			log.Error("the configuration is at fault", "fault", fault.String())
		}
		log.Error("the configuration was not reloaded; nothing has changed", "faults", len(faults.List))
		return nil
	case err != nil:
		log.Error("the configuration was not reloaded; nothing has changed", "err", err)
		return nil
	}
	restart, err := s.Reload(c)
	if err != nil {
		log.Error("the configuration was not reloaded; nothing has changed", "err", err)
		return nil
	}
	log.Info("the configuration was reloaded", "restart_for", restart)
	level.Set(levelOf(c.Log)) // afterwards: a quieter log still says why it is quiet
	return c
}

// stop ends the site. That requests had to be cut is no failure of the process: there
// are streams without an end.
func stop(s *site.Site, o config.Operations, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(context.Background(), o.DrainTimeout)
	defer cancel()
	err := s.Stop(ctx)
	if errors.Is(err, site.ErrCut) {
		log.Warn("stopped", "err", err)
		return nil
	}
	return err
}

// newLogger also returns the level, which can be changed while it logs, and what writes
// the last lines.
func newLogger(c config.Log) (*slog.Logger, *slog.LevelVar, func()) {
	level := new(slog.LevelVar)
	level.Set(levelOf(c))
	out := logs.New(os.Stderr)
	flush := func() { _ = out.Flush() }
	if c.Format == "json" {
		return out.JSON(level), level, flush
	}
	return out.Text(level), level, flush
}

func levelOf(c config.Log) (level slog.Level) {
	_ = level.UnmarshalText([]byte(c.Level)) // validated with the configuration
	return level
}

func newInit() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Prepare a new site: schema, keys and the first administrator",
		Long: `Migrates the database, creates the master key and the provider's organization,
and prints the password of the first administrator. It is shown this once.
If there is an administrator of that name already, nothing is changed.`,
		Args: noArgs,
	}
	file := configFlag(cmd)
	name := cmd.Flags().String("administrator", "administrator", "name of the first administrator")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := load(*file)
		if err != nil {
			return err
		}
		if err := migrate(cmd, c); err != nil {
			return err
		}
		s, err := site.New(cmd.Context(), c, site.Options{})
		if err != nil {
			return err
		}
		defer s.Close()
		password := secret.Text(secret.Base62(20))
		_, err = s.Provisioner().CreateUser(cmd.Context(), tenants.Caller{}, tenants.SystemOrgID, *name, tenants.SystemAdministrator, password)
		if problem.Has(err, problem.DuplicateName) {
			return fmt.Errorf("the site has an administrator named %q already; nothing was changed", *name)
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "Site %s (%s) is ready.\nAdministrator %s@System, password (shown this once): %s\n",
			s.Self().Name, tenants.URN("site", s.Self().ID), *name, password.Reveal())
		return nil
	}
	return cmd
}

func newConfig() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Work with the configuration", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	file := configFlag(cmd)
	cmd.AddCommand(&cobra.Command{
		Use:   "check",
		Short: "Report every fault of a configuration file, with key and line",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := load(*file); err != nil {
				return err
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), *file, "is valid.")
			return err
		},
	}, &cobra.Command{
		Use:   "reference",
		Short: "Describe every setting, with bounds and defaults, as Markdown",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := config.Reference()
			if err == nil {
				_, err = fmt.Fprint(cmd.OutOrStdout(), text)
			}
			return err
		},
	})
	return cmd
}
