// Package cli is the command line of Causeway: what each command is called, what
// it prints and how it ends. What commands do lives in other packages.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"causeway/internal/version"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // the command could not do its work
	exitUsage  = 2 // the command line or the configuration is wrong

	exitDenied  = 3 // somebody was asked, and said no
	exitExpired = 4 // somebody was asked, and did not answer in time
	exitNothing = 5 // what was looked for is not there
	exitFaults  = 6 // doctor found faults
	exitLogin   = 7 // nobody is logged in, or not any more

	exitInterrupted = 130 // a signal came before the work was done
)

// usageError marks mistakes of whoever typed the command.
type usageError struct{ error }

// exitError is an error with an exit code of its own.
type exitError struct {
	error
	code int
}

// Main runs a command line and returns the exit code.
func Main(args []string, in io.Reader, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if ctx.Err() != nil {
		fmt.Fprintln(errOut, "causeway: interrupted:", err)
		return exitInterrupted
	}
	fmt.Fprintln(errOut, "causeway:", err)
	var usage usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	if own, ok := errors.AsType[exitError](err); ok {
		return own.code
	}
	return exitFailed
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "causeway",
		Short:         "A federation gateway for service providers with several sites",
		Long:          "Causeway issues machine identities, scopes them to organizations, and routes their requests to the site that hosts the organization.",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(
		newDev(),
		newServe(),
		newMigrate(),
		newInit(),
		newLoad(),
		newConfig(),
		newPerform(),
		newExplain(),
		newDoctor(),
		newKeys(),
		newLogin(),
		newLogout(),
		newProfile(),
		newOrg(),
		newUser(),
		newRole(),
		newRight(),
		newSA(),
		newToken(),
		newSession(),
		newTask(),
		newQuota(),
		newApp(),
		newService(),
		newSite(),
		newGossip(),
		newAudit(),
		newBackup(),
		newVerify(),
		newRestore(),
		newWatermark(),
		newRecoverAdmin(),
		newVersion(),
		newExitCodes(),
		newDocs(),
	)
	return root
}

// noArgs refuses what a command cannot use.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasSubCommands() {
		return usageError{fmt.Errorf("%s has no command %q; %s --help lists them", cmd.CommandPath(), args[0], cmd.CommandPath())}
	}
	return usageError{fmt.Errorf("%s takes no argument %q", cmd.CommandPath(), args[0])}
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "causeway", version.Get())
			return err
		},
	}
}
