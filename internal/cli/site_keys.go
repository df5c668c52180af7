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

const siteKeysPath = httpapi.OwnAPI + "/siteKeys"

// siteKey is a root key as the API shows it.
type siteKey struct {
	Fingerprint string  `json:"fingerprint"`
	State       string  `json:"state"`
	PublishedAt string  `json:"publishedAt"`
	SignsFrom   string  `json:"signsFrom"`
	RetiredAt   *string `json:"retiredAt"`
}

// newSiteKeys is `site keys`.
func newSiteKeys(to *connection, form *output) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "See and change the root keys that prove a site to other sites",
		Long: `Shows and changes the root keys that prove a site to other sites.

Other sites hold the fingerprint of one key since they were associated, and follow
from there what each key says about the next. Who asks is of the provider and needs
the right "Site: View", or "Site: Manage" to change something.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSiteKeysList(to, form), newSiteKeysRotate(to, form), newSiteKeysRetire(to, form))
	return cmd
}

func newSiteKeysList(to *connection, form *output) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the root keys, the newest first",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return listed(cmd, to, form, writeSiteKeys, func(ctx context.Context, c *apiclient.Client) ([]siteKey, error) {
				var page httpapi.Page[siteKey]
				err := c.Do(ctx, http.MethodGet, siteKeysPath+"?pageSize=128", nil, &page)
				return page.Values, err
			})
		},
	}
}

func newSiteKeysRotate(to *connection, form *output) *cobra.Command {
	return &cobra.Command{
		Use:   "rotate",
		Short: "Publish a successor, which takes over by itself",
		Long: `Publishes a new root key to other sites. It signs when it has been published for as
long as federation.root_publish_ahead says; the old key proves connections for two
more days. Nobody at another site has to do anything, and no request fails.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return listed(cmd, to, form, writeSiteKeys, func(ctx context.Context, c *apiclient.Client) ([]siteKey, error) {
				var made siteKey
				err := c.Do(ctx, http.MethodPost, siteKeysPath+"/rotate", nil, &made)
				return []siteKey{made}, err
			})
		},
	}
}

func newSiteKeysRetire(to *connection, form *output) *cobra.Command {
	return &cobra.Command{
		Use:   "retire FINGERPRINT",
		Short: "End a root key that somebody may have got hold of",
		Long: `Ends a root key at once. If it is the one that signs, the published successor signs
from now on, or a new key where there is none.

Other sites that have seen the successor announced follow within seconds. For all
others this site is a stranger from now on: their administrators compare the new
fingerprint with yours, by telephone, and replace the key of the association.`,
		Args: oneArg("site keys retire takes the fingerprint of one key; site keys list shows them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return listed(cmd, to, form, writeSiteKeys, func(ctx context.Context, c *apiclient.Client) ([]siteKey, error) {
				var retired siteKey
				err := c.Do(ctx, http.MethodPost, siteKeysPath+"/"+url.PathEscape(args[0])+"/retire", nil, &retired)
				return []siteKey{retired}, err
			})
		},
	}
}

func writeSiteKeys(out io.Writer, keys []siteKey) error {
	var rows [][]string
	for _, k := range keys {
		retired := ""
		if k.RetiredAt != nil {
			retired = *k.RetiredAt
		}
		rows = append(rows, printable(k.Fingerprint, k.State, k.PublishedAt, k.SignsFrom, retired))
	}
	return table(out, []string{"FINGERPRINT", "STATE", "PUBLISHED", "SIGNS FROM", "RETIRED"}, rows)
}
