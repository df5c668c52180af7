package cli

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"causeway/internal/apiclient"
	"causeway/internal/httpapi"
)

const keysPath = httpapi.OwnAPI + "/signingKeys"

// key is a signing key as the API shows it.
type key struct {
	KeyID       string  `json:"kid"`
	Purpose     string  `json:"purpose"`
	Algorithm   string  `json:"algorithm"`
	State       string  `json:"state"`
	PublishedAt string  `json:"publishedAt"`
	SignsFrom   string  `json:"signsFrom"`
	RetiredAt   *string `json:"retiredAt"`
}

func newKeys() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "See and change the keys that sign a site's tokens",
		Long: `Shows and changes the keys that sign a site's tokens.

Keys change by themselves: see keys.rotate_every in the configuration. Who asks
is of the provider and needs the right "Site: View", or "Site: Manage" to change
something.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	to, form := connectionFlags(cmd), outputFlag(cmd, "table")
	cmd.AddCommand(newKeysList(to, form), newKeysRotate(to, form), newKeysRetire(to, form))
	return cmd
}

func newKeysList(to *connection, form *output) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the keys, the newest first",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return listed(cmd, to, form, writeKeys, func(ctx context.Context, c *apiclient.Client) ([]key, error) {
				var page httpapi.Page[key]
				err := c.Do(ctx, http.MethodGet, keysPath+"?pageSize=128", nil, &page)
				return page.Values, err
			})
		},
	}
}

func newKeysRotate(to *connection, form *output) *cobra.Command {
	var now bool
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Make a new key",
		Long: `Makes a new key that takes over from the one that signs: after it has been
published for as long as keys.publish_ahead says, or with --now at once. What was
signed before stays good.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return listed(cmd, to, form, writeKeys, func(ctx context.Context, c *apiclient.Client) ([]key, error) {
				var made key
				err := c.Do(ctx, http.MethodPost, keysPath+"/rotate", map[string]any{"atOnce": now}, &made)
				return []key{made}, err
			})
		},
	}
	cmd.Flags().BoolVar(&now, "now", false, "sign with it at once: verifiers that remember keys may not know it yet")
	return cmd
}

func newKeysRetire(to *connection, form *output) *cobra.Command {
	return &cobra.Command{
		Use:   "retire KEY-ID",
		Short: "End a key that somebody may have got hold of",
		Long: `Ends a key at once: every access token that it signed is refused from now on, on
every cell within a second, also the one of whoever asks. If it was the key that
signs, a new one is made. Refresh tokens stay good; people log in again.`,
		Args: oneArg("keys retire takes the identifier of one key; keys list shows them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return listed(cmd, to, form, writeKeys, func(ctx context.Context, c *apiclient.Client) ([]key, error) {
				var retired key
				err := c.Do(ctx, http.MethodPost, keysPath+"/"+url.PathEscape(args[0])+"/retire", nil, &retired)
				return []key{retired}, err
			})
		},
	}
}

func writeKeys(out io.Writer, keys []key) error {
	var rows [][]string
	for _, k := range keys {
		retired := ""
		if k.RetiredAt != nil {
			retired = *k.RetiredAt
		}
		rows = append(rows, printable(k.KeyID, k.State, k.Purpose, k.Algorithm, k.PublishedAt, k.SignsFrom, retired))
	}
	return table(out, []string{"KEY", "STATE", "PURPOSE", "ALGORITHM", "PUBLISHED", "SIGNS FROM", "RETIRED"}, rows)
}
