package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"causeway/internal/apiclient"
	"causeway/internal/atomicfile"
)

func newAppCreate(to *connection, form *output) *cobra.Command {
	var name, description, id, file string
	var life time.Duration
	var roles roleFlags
	cmd := &cobra.Command{
		Use:   "create --name NAME",
		Short: "Create an app and show its secret, once",
		Long: `Creates an app and prints its client id and secret, which nothing shows again. With
--credentials they go into a new file of mode 0600 instead of onto the screen.

The roles are the most that any organization can give to the app. It has none of
them yet: see "causeway app add".`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if name == "" {
				return usageError{errors.New("say what the app is called by --name")}
			}
			if err := form.check(); err != nil {
				return err
			}
			return to.inOrganization(cmd, func(ctx context.Context, c *apiclient.Client, base string) error {
				scopes, err := roles.scopes(ctx, c)
				if err != nil {
					return err
				}
				request := map[string]any{
					"displayName": name, "description": description, "grantTypes": []string{"client_credentials"},
					"allowedScopes": scopes, "accessTokenTTL": int(life.Seconds()),
				}
				if id != "" {
					request["id"] = id
				}
				var made credentials
				if err := c.Do(ctx, http.MethodPost, base+"/oauth-apps", request, &made); err != nil {
					return err
				}
				return made.show(cmd, form, file)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "what the app is called")
	f.StringVar(&description, "description", "server-to-server app", "what it is for")
	f.StringVar(&id, "id", "", "client id, 5 to 256 of A-Za-z0-9_-; one is made if there is none")
	f.DurationVar(&life, "token-life", 30*time.Minute, "life of its access tokens, 1m to 5h")
	f.StringVar(&file, "credentials", "", "file to write client id and secret to, JSON")
	roles.add(cmd)
	return cmd
}

// show prints a secret that is shown once, or puts it where only its owner reads it.
func (c credentials) show(cmd *cobra.Command, form *output, file string) error {
	if file == "" {
		return form.print(cmd.OutOrStdout(), c, func(out io.Writer) error {
			return table(out, []string{"CLIENT ID", "CLIENT SECRET (shown once)"}, [][]string{printable(c.ClientID, c.ClientSecret)})
		})
	}
	body, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	if err := atomicfile.Write(file, append(body, '\n'), 0o600); err != nil {
		return fmt.Errorf("the app %s has a secret that could not be written; regenerate it: %w", c.ClientID, err)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: credentials are in %s\n", apiclient.Printable(c.ClientID), file)
	return err
}
