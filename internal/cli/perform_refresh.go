package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"causeway/internal/appflow"
)

func newRefresh(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "refresh",
		Short: "Renew the token in a file, and get an access token from it",
		Long: `Exchanges the refresh token in the file for an access token. A service account's
refresh token rotates: its successor is in the file before the access token is
printed. Processes that share the file take turns, and one that is killed between
the site's answer and the file loses nothing: run the command again.`,
		Example: `  causeway perform refresh --url https://vcd.example.com --org ACME --token-file app.token
  curl -H "Authorization: Bearer $(causeway perform refresh … --print access-token)" …`,
		Args: noArgs,
	}
	what := cmd.Flags().String("print", "summary", "summary: whose it is; access-token: the access token alone; nothing")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *what != "summary" && *what != "access-token" && *what != "nothing" {
			return usageError{errors.New("--print is summary, access-token or nothing")}
		}
		client, err := a.client()
		if err != nil {
			return err
		}
		tokens, err := renew(cmd.Context(), client, a.tokenFile, warnTo(cmd))
		switch {
		case err != nil:
			return err
		case *what == "access-token":
			_, err = fmt.Fprintln(cmd.OutOrStdout(), tokens.Access.Reveal())
		case *what == "summary":
			err = summarize(cmd, client, tokens)
		}
		return err
	}
	return cmd
}

// warnTo says things on standard error.
func warnTo(cmd *cobra.Command) func(string) {
	return func(message string) { fmt.Fprintln(cmd.ErrOrStderr(), "causeway: warning:", message) }
}

func summarize(cmd *cobra.Command, client *appflow.Client, tokens appflow.Tokens) error {
	who, err := client.WhoAmI(cmd.Context(), tokens.Access)
	if err != nil {
		return fmt.Errorf("the token was renewed, and a first call with it failed: %w", err)
	}
	change := "It is a user's and stays as it is."
	if tokens.Refresh != "" {
		change = "The file holds its successor."
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "The token works: it is %s. %s\nAn access token is good for %s at most.\n", describe(who), change, duration(tokens.ExpiresIn))
	return err
}
