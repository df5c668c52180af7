package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"causeway/internal/dev"
)

// grace is how long requests under way may take to finish after a signal.
const grace = 10 * time.Second

func newDev() *cobra.Command {
	var o dev.Options
	var base int
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run two associated sites with sample organizations, to try everything",
		Long: `Runs the sites west and east in one process, each with its own listeners,
database and keys, and a sample service behind each. Everything is in one folder;
started again on the same folder it goes on where it was. All listeners are on
loopback only.`,
		Example: `  causeway dev
  causeway dev --folder ./trial
  causeway dev --folder ./trial --listen-base 0 --json   # free ports, for scripts
  causeway dev --folder ./trial --site east              # only east, as its own process`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("listen-base") {
				if base != 0 && (base < 1024 || base > 65000) {
					return usageError{errBase}
				}
				o.Base = &base
			}
			o.Out = cmd.OutOrStdout()
			d, err := dev.Start(cmd.Context(), o)
			if errors.Is(err, dev.ErrNoSuchSite) {
				return usageError{err}
			}
			if err != nil {
				return err
			}
			if err := d.Print(o); err != nil {
				return err
			}
			<-cmd.Context().Done()
			ctx, cancel := context.WithTimeout(context.Background(), grace)
			defer cancel()
			return d.Stop(ctx)
		},
	}
	cmd.Flags().StringVar(&o.Folder, "folder", "", "keep everything in this folder (default a new temporary one, which stays)")
	cmd.Flags().IntVar(&base, "listen-base", 8443, "derive all ports from this one; 0 takes free ones the first time")
	cmd.Flags().StringVar(&o.Site, "site", "", "run only this site: west or east")
	cmd.Flags().BoolVar(&o.JSON, "json", false, "print dev.json when ready, and nothing else")
	return cmd
}
