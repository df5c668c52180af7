package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"causeway/internal/apiclient"
	"causeway/internal/httpapi"
)

// serverApp is a server-to-server app as the API shows it.
type serverApp struct {
	ID          string   `json:"id"`
	DisplayName string   `json:"displayName"`
	Description string   `json:"description"`
	GrantTypes  []string `json:"grantTypes"`
	TokenLife   int      `json:"accessTokenTTL"` // seconds
	Org         string   `json:"organizationId"`
	CreatedAt   int64    `json:"createdAt"`
	CreatedBy   string   `json:"createdBy"`
	Scopes      scopes   `json:"allowedScopes"`
}

// credentials are the two halves of what an app proves itself by.
type credentials struct {
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret"`
}

func newApp() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "app",
		Short: "Create and manage server-to-server apps",
		Long: `Creates and manages server-to-server apps: programs that get access tokens for a
client id and a secret, with no person in between.

An app belongs to the organization that created it and can do nothing at first. It
is added to each organization it is to work in, also to its own, with the roles that
it has there: "causeway app add". Who asks is an Organization Owner, or has another
organization role and is Developer, too.

    causeway app create --org acme --user admin --name metrics-shipper --service-role aoa:directDataIngestion
    causeway app add CLIENT-ID --org acme --user admin --service-role aoa:directDataIngestion`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	to, form := connectionFlags(cmd), outputFlag(cmd, "table")
	cmd.AddCommand(
		newAppList(to, form), newAppShow(to, form), newAppCreate(to, form), newAppDelete(to), newAppSecret(to, form),
		newAppMembers(to, form), newAppAdd(to), newAppRemove(to), newAppRoles(to),
	)
	return cmd
}

// organization is where the apps are that a session can manage: its own. It is the
// first part of each path.
func organization(ctx context.Context, c *apiclient.Client) (string, error) {
	var session struct {
		Org struct {
			ID string `json:"id"`
		} `json:"org"`
	}
	if err := c.Do(ctx, http.MethodGet, "/cloudapi/1.0.0/sessions/current", nil, &session); err != nil {
		return "", err
	}
	return "/csp/gateway/am/api/orgs/" + url.PathEscape(strings.TrimPrefix(session.Org.ID, "urn:vcloud:org:")), nil
}

// inOrganization is [connection.with] with the first part of the organization's paths.
func (c *connection) inOrganization(cmd *cobra.Command, do func(ctx context.Context, client *apiclient.Client, base string) error) error {
	return c.with(cmd, func(ctx context.Context, client *apiclient.Client) error {
		base, err := organization(ctx, client)
		if err != nil {
			return err
		}
		return do(ctx, client, base)
	})
}

// everyPage reads a list of the CSP face to its end.
func everyPage[T any](ctx context.Context, c *apiclient.Client, path string) ([]T, error) {
	var all []T
	for next := fmt.Sprintf("%s?pageStart=1&pageLimit=%d", path, httpapi.MostCSP); next != ""; {
		var page httpapi.CSPPage[T]
		if err := c.Do(ctx, http.MethodGet, next, nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Results...)
		next = page.NextLink
	}
	return all, nil
}

func newAppList(to *connection, form *output) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the apps that the organization owns",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return listed(cmd, to, form, writeApps, func(ctx context.Context, c *apiclient.Client) ([]serverApp, error) {
				base, err := organization(ctx, c)
				if err != nil {
					return nil, err
				}
				return everyPage[serverApp](ctx, c, base+"/oauth-apps")
			})
		},
	}
}

func newAppShow(to *connection, form *output) *cobra.Command {
	return &cobra.Command{
		Use:   "show CLIENT-ID",
		Short: "Show one app; its secret is shown nowhere",
		Args:  oneArg("app show takes the client id of one app; app list shows them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return listed(cmd, to, form, writeApps, func(ctx context.Context, c *apiclient.Client) ([]serverApp, error) {
				base, err := organization(ctx, c)
				if err != nil {
					return nil, err
				}
				var one serverApp
				err = c.Do(ctx, http.MethodGet, base+"/oauth-apps/"+url.PathEscape(args[0]), nil, &one)
				return []serverApp{one}, err
			})
		},
	}
}

func newAppDelete(to *connection) *cobra.Command {
	return &cobra.Command{
		Use:   "delete CLIENT-ID...",
		Short: "Delete apps for good",
		Long: `Deletes apps: their secrets and access tokens are refused at once, and they are
taken out of every organization that added them. A client id is never given out again.`,
		Args: someArgs("app delete takes the client ids of up to 15 apps"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return to.inOrganization(cmd, func(ctx context.Context, c *apiclient.Client, base string) error {
				return removeEach(ctx, cmd.OutOrStdout(), c, base+"/oauth-apps", map[string]any{"clientIdsToDelete": args}, "deleted")
			})
		},
	}
}

// removeEach says what became of each; one that stayed is an error.
func removeEach(ctx context.Context, out io.Writer, c *apiclient.Client, path string, body any, done string) error {
	var answer struct {
		Succeeded []string          `json:"succeeded"`
		Failed    []failedOperation `json:"failed"`
	}
	if err := c.Do(ctx, http.MethodDelete, path, body, &answer); err != nil {
		return err
	}
	for _, id := range answer.Succeeded {
		fmt.Fprintf(out, "%s: %s\n", apiclient.Printable(id), done)
	}
	return failures(answer.Failed)
}

func writeApps(out io.Writer, apps []serverApp) error {
	var rows [][]string
	for _, a := range apps {
		rows = append(rows, printable(a.ID, a.DisplayName, strings.Join(a.GrantTypes, ","), (time.Duration(a.TokenLife)*time.Second).String(), a.Scopes.String(), a.Description))
	}
	return table(out, []string{"CLIENT ID", "NAME", "GRANTS", "TOKEN LIFE", "MAY BE GIVEN", "DESCRIPTION"}, rows)
}
