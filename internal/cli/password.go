package cli

import (
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"causeway/internal/secret"
)

func passwordFrom(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "password-from", "", "file with the user's new password; it is asked for, twice, if there is none")
}

// newPassword is what a user's password becomes: from the file that flag names, or
// typed twice.
func newPassword(cmd *cobra.Command, flag, file, user string) (secret.Text, error) {
	if file != "" {
		password, err := readPassword(file)
		if err != nil {
			err = usageError{err}
		}
		return password, err
	}
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", usageError{errors.New("there is no terminal to ask for the new password: use " + flag)}
	}
	return twice(cmd.ErrOrStderr(), user, func() ([]byte, error) { return term.ReadPassword(int(in.Fd())) })
}

func twice(out io.Writer, user string, read func() ([]byte, error)) (secret.Text, error) {
	first, err := ask(out, "New password of "+user+": ", read)
	if err != nil {
		return "", err
	}
	again, err := ask(out, "Once more: ", read)
	if err == nil && first != again {
		err = usageError{errors.New("the two differ; nothing was changed")}
	}
	return first, err
}
