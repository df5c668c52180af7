package cli

import (
	"context"
	"net/http"

	"github.com/spf13/cobra"

	"causeway/internal/apiclient"
)

var organizations = kind{
	one: "organization", path: "/cloudapi/1.0.0/orgs", urn: "org", name: "name",
	columns: []column{{"ORGANIZATION", "name"}, {"FULL NAME", "displayName"}, {"ENABLED", "isEnabled"}, {"USERS", "userCount"}, {"ID", "id"}},
}

func newOrg() *cobra.Command {
	cmd := group("org", "Create and manage organizations", `Creates and manages the organizations of a site. Who asks is of the provider; tenants
see their own organization.`, `  causeway org create acme --display-name "Acme Corporation"
  causeway org list --filter 'isEnabled==false'
  causeway org disable acme`)
	r := newResources(cmd, organizations)
	cmd.AddCommand(r.list("List organizations"), r.get(), newOrgCreate(r), newOrgUpdate(r),
		r.one("enable", "Let an organization's people and apps in again", r.enabling(true)),
		r.end("disable", "Keep an organization's people and apps out", "all of its sessions end at once, and nobody of it can log in", "disabled",
			func(ctx context.Context, c *apiclient.Client, o object) error {
				_, err := r.enabling(false)(ctx, c, o)
				return err
			}),
		r.remove("its users, roles, service accounts, apps and tokens are deleted with it; it must be disabled before"))
	return cmd
}

// enabling switches an organization on or off. One that is so already is left alone.
func (r *resources) enabling(on bool) func(context.Context, *apiclient.Client, object) (object, error) {
	return func(ctx context.Context, c *apiclient.Client, o object) (object, error) {
		if o["isEnabled"] == on {
			return o, nil
		}
		return r.put(ctx, c, o, map[string]any{"isEnabled": on})
	}
}

func newOrgCreate(r *resources) *cobra.Command {
	var name, description string
	var disabled, missing bool
	cmd := &cobra.Command{
		Use: "create NAME", Short: "Create an organization", Args: oneArg("org create takes the name of one organization"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.show(cmd, func(ctx context.Context, c *apiclient.Client) ([]object, error) {
				if name == "" {
					name = args[0]
				}
				return r.create(ctx, c, missing, args[0], object{"name": args[0], "displayName": name, "description": description, "isEnabled": !disabled})
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&name, "display-name", "", "full name; the name if there is none")
	f.StringVar(&description, "description", "", "what it is")
	f.BoolVar(&disabled, "disabled", false, "nobody of it can log in until it is enabled")
	ifMissing(cmd, &missing)
	return cmd
}

// create makes one, or with missing shows the one that has the name already.
func (k kind) create(ctx context.Context, c *apiclient.Client, missing bool, name string, body object) ([]object, error) {
	if missing {
		if found, err := k.find(ctx, c, name); err == nil {
			return []object{found}, nil
		}
	}
	var made object
	err := c.Do(ctx, http.MethodPost, k.path, body, &made)
	return []object{made}, err
}

func ifMissing(cmd *cobra.Command, missing *bool) {
	cmd.Flags().BoolVar(missing, "if-missing", false, "leave one of the same name as it is, and succeed")
}

func newOrgUpdate(r *resources) *cobra.Command {
	var rename, name, description string
	cmd := r.one("update", "Change names and description; what no flag names stays", nil)
	f := cmd.Flags()
	f.StringVar(&rename, "name", "", "another name, as in logins and paths")
	f.StringVar(&name, "display-name", "", "another full name")
	f.StringVar(&description, "description", "", "another description")
	return r.editing(cmd, map[string]*string{"name": &rename, "displayName": &name, "description": &description},
		map[string]string{"name": "name", "displayName": "display-name", "description": "description"})
}
