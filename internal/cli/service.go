package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"causeway/internal/apiclient"
	"causeway/internal/httpapi"
)

const (
	definitionsPath = httpapi.OwnAPI + "/serviceDefinitions"
	instancesPath   = httpapi.OwnAPI + "/serviceInstances"
)

// serviceDefinition and serviceInstance are what the API shows of them.
type serviceDefinition struct {
	ID          string `json:"id"`
	Version     int    `json:"version"`
	Name        string `json:"name"`
	Prefix      string `json:"prefix"`
	BuiltIn     bool   `json:"builtIn"`
	Description string `json:"description"`
	Permissions []any  `json:"permissions"`
	Roles       []any  `json:"roles"`
	Routes      []any  `json:"routes"`
}

type serviceInstance struct {
	ID         string   `json:"id"`
	Org        string   `json:"orgId"`
	Definition string   `json:"serviceDefinitionId"`
	Name       string   `json:"name"`
	Mode       string   `json:"mode"`
	Prefix     string   `json:"prefix"`
	Hosts      []string `json:"hosts"`
	Enabled    bool     `json:"enabled"`
	Upstreams  []string `json:"upstreams,omitempty"`
	HookSecret string   `json:"hookSecret,omitempty"`
	State      []struct {
		URL  string `json:"url,omitempty"`
		Well bool   `json:"well"`
		Why  string `json:"why,omitempty"`
	} `json:"upstreamHealth"`
}

func newService() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "service",
		Short: "See and manage service definitions and the instances of organizations",
		Long: `Shows and manages what stands behind the gateway. A definition says which permissions
and roles a kind of service has, and which of its calls needs what; an instance is one
that runs for an organization, reached by a path or a host name.

Who asks needs the right "Service Instance: View", or is of the provider and has
"Service Instance: Manage" to change something.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	to, form := connectionFlags(cmd), outputFlag(cmd, "table")
	cmd.AddCommand(
		newDefinitions(to, form), newDefine(to, form), newInstances(to, form), newInstanceCreate(to, form), newInstanceDelete(to),
	)
	return cmd
}

func newDefinitions(to *connection, form *output) *cobra.Command {
	return &cobra.Command{
		Use:   "definitions",
		Short: "List the service definitions",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return listed(cmd, to, form, writeDefinitions, func(ctx context.Context, c *apiclient.Client) ([]serviceDefinition, error) {
				return apiclient.All[serviceDefinition](ctx, c, definitionsPath)
			})
		},
	}
}

func writeDefinitions(out io.Writer, list []serviceDefinition) error {
	var rows [][]string
	for _, d := range list {
		origin := "provider"
		if d.BuiltIn {
			origin = "built in"
		}
		rows = append(rows, printable(d.ID, d.Name, d.Prefix, origin, strconv.Itoa(d.Version),
			strconv.Itoa(len(d.Permissions)), strconv.Itoa(len(d.Roles)), strconv.Itoa(len(d.Routes))))
	}
	return table(out, []string{"DEFINITION", "NAME", "PREFIX", "ORIGIN", "VERSION", "PERMISSIONS", "ROLES", "ROUTES"}, rows)
}

func newDefine(to *connection, form *output) *cobra.Command {
	return &cobra.Command{
		Use:   "define FILE",
		Short: "Create a service definition from a YAML or JSON file, or replace the one of its id",
		Args:  oneArg("service define takes one file; - reads the standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := readFile(cmd, args[0])
			if err != nil {
				return err
			}
			return listed(cmd, to, form, writeDefinitions, func(ctx context.Context, c *apiclient.Client) ([]serviceDefinition, error) {
				made, err := define(ctx, c, text)
				return []serviceDefinition{made}, err
			})
		},
	}
}

func readFile(cmd *cobra.Command, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(cmd.InOrStdin())
	}
	return os.ReadFile(name)
}

// define replaces the definition whose id the text names, if there is one.
func define(ctx context.Context, c *apiclient.Client, text []byte) (made serviceDefinition, err error) {
	var named struct {
		ID string `yaml:"id"`
	}
	if err := yaml.Unmarshal(text, &named); err != nil { // JSON is YAML
		return made, usageError{fmt.Errorf("the definition cannot be read: %w", err)}
	}
	id := named.ID
	method, path := http.MethodPost, definitionsPath
	if id != "" {
		err := c.Do(ctx, http.MethodGet, definitionsPath+"/"+url.PathEscape(id), nil, &made)
		switch {
		case err == nil:
			method, path = http.MethodPut, definitionsPath+"/"+url.PathEscape(id)
		case !apiclient.Refused(err, http.StatusForbidden):
			return made, err
		}
	}
	return made, c.DoText(ctx, method, path, "application/yaml", text, &made)
}

func newInstances(to *connection, form *output) *cobra.Command {
	return &cobra.Command{
		Use:   "instances",
		Short: "List service instances: the organization's, or for providers in System everybody's",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return listed(cmd, to, form, writeInstances, func(ctx context.Context, c *apiclient.Client) ([]serviceInstance, error) {
				return apiclient.All[serviceInstance](ctx, c, instancesPath)
			})
		},
	}
}

func writeInstances(out io.Writer, list []serviceInstance) error {
	var rows [][]string
	for _, in := range list {
		reached := append([]string{}, in.Hosts...)
		if in.Prefix != "" {
			reached = append(reached, in.Prefix)
		}
		rows = append(rows, printable(in.ID, in.Org, in.Name, in.Mode, in.state(), strings.Join(reached, " "), strings.Join(in.Upstreams, " ")))
	}
	return table(out, []string{"INSTANCE", "ORGANIZATION", "NAME", "MODE", "STATE", "REACHED AT", "UPSTREAMS"}, rows)
}

// state is in how many of its upstreams the cell that answered is well.
func (in serviceInstance) state() string {
	well := 0
	for _, u := range in.State {
		if u.Well {
			well++
		}
	}
	switch {
	case !in.Enabled:
		return "disabled"
	case len(in.State) == 0:
		return "unknown"
	}
	return fmt.Sprintf("%d of %d well", well, len(in.State))
}

func newInstanceCreate(to *connection, form *output) *cobra.Command {
	var name, owner, definition, mode, prefix, health, hook string
	var hosts, upstreams []string
	cmd := &cobra.Command{
		Use:   "create --name NAME --organization ORG --upstream URL",
		Short: "Create a service instance for an organization",
		Long: `Creates a service instance for an organization. It is reached by --prefix on the
site's own address, by --host names that point to the site, or by both.

An instance in a private network needs that network in csp.instance_networks.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if name == "" || owner == "" || len(upstreams) == 0 || prefix == "" && len(hosts) == 0 {
				return usageError{errors.New("say --name, --organization, --upstream, and --prefix or --host")}
			}
			return listed(cmd, to, form, writeMade, func(ctx context.Context, c *apiclient.Client) ([]serviceInstance, error) {
				of, err := findDefinition(ctx, c, definition)
				if err != nil {
					return nil, err
				}
				org, err := findOrganization(ctx, c, owner)
				if err != nil {
					return nil, err
				}
				var made serviceInstance
				err = c.Do(ctx, http.MethodPost, instancesPath, map[string]any{
					"orgId": org, "serviceDefinitionId": of, "name": name, "mode": mode, "prefix": prefix, "hosts": hosts,
					"upstreams": upstreams, "healthCheck": map[string]any{"path": health}, "hookUrl": hook,
				}, &made)
				return []serviceInstance{made}, err
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "what the instance is called, unique in its organization")
	f.StringVar(&owner, "organization", "", "name of the organization that it is for")
	f.StringVar(&definition, "definition", "Operations for Applications", "name or id of the service definition")
	f.StringVar(&mode, "mode", "onboarded", "onboarded takes apps, original refuses them")
	f.StringVar(&prefix, "prefix", "", "path before its own, as /observability")
	f.StringSliceVar(&hosts, "host", nil, "host name by which it is reached")
	f.StringSliceVar(&upstreams, "upstream", nil, "URL of the service itself; several share the load")
	f.StringVar(&health, "health-path", "", "path that answers whether an upstream is well; none: requests show it")
	f.StringVar(&hook, "hook", "", "URL that is told of accounts that begin and end")
	return cmd
}

var writeMade = showingOnce(writeInstances, "secret of its hook", func(in serviceInstance) string { return in.HookSecret })

func findDefinition(ctx context.Context, c *apiclient.Client, named string) (string, error) {
	list, err := apiclient.All[serviceDefinition](ctx, c, definitionsPath)
	if err != nil {
		return "", err
	}
	for _, d := range list {
		if d.ID == named || strings.EqualFold(d.Name, named) {
			return d.ID, nil
		}
	}
	return "", fmt.Errorf("there is no service definition %s; service definitions lists them", named)
}

func findOrganization(ctx context.Context, c *apiclient.Client, name string) (string, error) {
	list, err := apiclient.All[struct{ ID, Name string }](ctx, c, "/cloudapi/1.0.0/orgs")
	if err != nil {
		return "", err
	}
	for _, o := range list {
		if strings.EqualFold(o.Name, name) {
			return o.ID, nil
		}
	}
	return "", fmt.Errorf("there is no organization %s, or it may not be seen", name)
}

func newInstanceDelete(to *connection) *cobra.Command {
	return &cobra.Command{
		Use:   "delete INSTANCE-ID",
		Short: "Delete a service instance: requests to it end, and so do its accounts",
		Args:  oneArg("service delete takes the id of one instance; service instances shows them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return to.with(cmd, func(ctx context.Context, c *apiclient.Client) error {
				if err := c.Do(ctx, http.MethodDelete, instancesPath+"/"+url.PathEscape(args[0]), nil, nil); err != nil {
					return err
				}
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: deleted\n", apiclient.Printable(args[0]))
				return err
			})
		},
	}
}
