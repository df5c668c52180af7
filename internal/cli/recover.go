package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"causeway/internal/site"
	"causeway/tenants"
)

func newRecoverAdmin() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "recover-admin",
		Short: "Let the provider in again: create or reset an administrator",
		Long: `Gives a user of the provider's organization a password and every right, enables and
unlocks it, and ends its sessions; a user that is not there is made. For when nobody can
log in any more: after a restore, or when the password is lost.

It works on the database by the configuration and the master key, so only who has the
machine can do it. The audit trail says that it was done there. Cells may serve
meanwhile. The password is asked for twice, or read from a file; it is never an
argument.`,
		Example: `  causeway recover-admin -c causeway.yaml
  causeway recover-admin -c causeway.yaml --administrator anna --password-file password.txt`,
		Args: noArgs,
	}
	file := configFlag(cmd)
	name := cmd.Flags().String("administrator", "administrator", "name of the user")
	passwordFile := cmd.Flags().String("password-file", "", "file with the password")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := load(*file)
		if err != nil {
			return err
		}
		password, err := newPassword(cmd, "--password-file", *passwordFile, *name)
		if err != nil {
			return err
		}
		s, err := site.New(cmd.Context(), c, site.Options{})
		if err != nil {
			return err
		}
		defer s.Close()
		u, created, err := s.Provisioner().RecoverAdministrator(cmd.Context(), operator(), *name, password)
		if err != nil {
			return err
		}
		done := "has the password now, every right, and no session"
		if created {
			done = "is new, with the password and every right"
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "Administrator %s@%s %s.\n", u.Name, tenants.SystemOrgName, done)
		return err
	}
	return cmd
}
