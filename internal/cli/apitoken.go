package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"causeway/internal/apiclient"
	"causeway/internal/atomicfile"
)

var apiTokens = kind{
	one: "API token", path: "/cloudapi/1.0.0/tokens", urn: "token", name: "name",
	columns: []column{{"TOKEN", "name"}, {"OWNER", "owner.name"}, {"EXPIRES", "expirationTimeUtc"}, {"ID", "id"}},
}

func newToken() *cobra.Command {
	cmd := group("token", "Create and revoke API tokens of users", `Creates and revokes API tokens: what a person's scripts get access tokens for. A token
acts as its owner does.`, `  causeway token create ci --file ci.token
  causeway org list --url https://west.example.com --org acme --token-file ci.token
  causeway token revoke ci`)
	r := newResources(cmd, apiTokens)
	cmd.AddCommand(r.list("List API tokens: the own, or those of everybody for who may see them"), r.get(), newTokenCreate(r),
		r.end("revoke", "End an API token", "its sessions end at once, and nothing brings it back", "revoked",
			func(ctx context.Context, c *apiclient.Client, o object) error {
				return c.Do(ctx, http.MethodDelete, r.of(o.at("id")), nil, nil)
			}))
	return cmd
}

// createdToken is what a token is written as: commands and VCD's SDKs read it.
type createdToken struct {
	Name  string `json:"name"`
	ID    string `json:"id"`
	Token string `json:"refresh_token"`
	Type  string `json:"token_type"`
}

func newTokenCreate(r *resources) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "create NAME", Short: "Create an API token for yourself, and show it once",
		Long: `Creates an API token for who asks, and prints it: nothing shows it again. With --file it
goes into a new file of mode 0600 instead, which --token-file of other commands takes.`,
		Args: oneArg("token create takes the name of one token"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.with(cmd, func(ctx context.Context, c *apiclient.Client) error {
				made, err := createToken(ctx, c, args[0])
				if err != nil {
					return err
				}
				if file == "" {
					return r.form.print(cmd.OutOrStdout(), made, func(out io.Writer) error {
						return table(out, []string{"TOKEN", "ID", "REFRESH TOKEN (shown once)"}, [][]string{printable(made.Name, made.ID, made.Token)})
					})
				}
				body, err := json.MarshalIndent(made, "", "  ")
				if err == nil {
					err = atomicfile.Write(file, append(body, '\n'), 0o600)
				}
				if err != nil {
					return fmt.Errorf("the token %s could not be written; revoke it: %w", made.ID, err)
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: the token is in %s\n", apiclient.Printable(made.Name), file)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "file to write the token to, JSON")
	return cmd
}

// createToken makes a token and fetches it, for which its owner's session speaks.
func createToken(ctx context.Context, c *apiclient.Client, name string) (made createdToken, err error) {
	var shown object
	if err := c.Do(ctx, http.MethodPost, apiTokens.path, object{"name": name}, &shown); err != nil {
		return made, err
	}
	made.Name, made.ID, made.Type = shown.at("name"), shown.at("id"), "API Token"
	refresh, err := c.FetchToken(ctx, strings.TrimPrefix(made.ID, "urn:vcloud:token:"))
	made.Token = refresh.Reveal()
	return made, err
}
