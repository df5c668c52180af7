package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"causeway/internal/apiclient"
)

var (
	sessions = kind{
		one: "session", path: "/cloudapi/1.0.0/sessions", urn: "session", name: "id",
		columns: []column{{"SESSION", "id"}, {"OF", "user.name"}, {"ORGANIZATION", "org.name"}, {"ROLE", "roles"}, {"IDLE MINUTES", "sessionIdleTimeoutMinutes"}},
	}
	quotas = kind{
		one: "quota policy", path: "/cloudapi/1.0.0/quotaPolicies", urn: "quotaPolicy", name: "name",
		columns: []column{{"POLICY", "name"}, {"RESOURCES", "quotaPoolDefinitions.resourceType"}, {"QUOTAS", "quotaPoolDefinitions.quota"}, {"UNITS", "quotaPoolDefinitions.quotaResourceUnit"}, {"ID", "id"}},
	}
	tasks = kind{
		one: "task", urn: "task", name: "id",
		columns: []column{{"TASK", "id"}, {"OPERATION", "operation"}, {"STATUS", "status"}, {"STARTED", "startTime"}, {"ENDED", "endTime"}},
	}
)

func newSession() *cobra.Command {
	cmd := group("session", "See and end sessions", "Shows and ends sessions: the own, or those of the organization for who may see them.",
		"  causeway session list --filter 'user.name==jane'\n  causeway session end urn:vcloud:session:… --yes")
	r := newResources(cmd, sessions).inTenants(cmd)
	cmd.AddCommand(r.list("List sessions"), r.get(),
		r.end("end", "End a session", "its access token is refused at once, at every site", "ended", func(ctx context.Context, c *apiclient.Client, o object) error {
			return c.Do(ctx, http.MethodDelete, r.of(o.at("id")), nil, nil)
		}))
	return cmd
}

func newQuota() *cobra.Command {
	cmd := group("quota", "See quota policies", "Shows the quota policies of an organization; they are assigned by the API and the portal.", "  causeway quota list --tenant acme")
	r := newResources(cmd, quotas).inTenants(cmd)
	cmd.AddCommand(r.list("List quota policies"), r.get(), r.remove("whom it is assigned to has no quota of it any more"))
	return cmd
}

func newTask() *cobra.Command {
	cmd := group("task", "See what the site did for an organization", "Shows tasks: management calls that were carried out, by whom and when.", "  causeway task list\n  causeway task show ID")
	r := newResources(cmd, tasks).inTenants(cmd)
	cmd.AddCommand(&cobra.Command{
		Use: "list", Short: "List the tasks of the organization, the newest first", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return r.show(cmd, func(ctx context.Context, c *apiclient.Client) ([]object, error) {
				org, err := actingIn(ctx, c, *r.tenant)
				if err != nil {
					return nil, err
				}
				found := struct {
					Tasks []object `json:"task"`
				}{Tasks: []object{}}
				err = ofAPI(ctx, c, "/api/tasksList/"+url.PathEscape(org), &found)
				return found.Tasks, err
			})
		},
	}, &cobra.Command{
		Use: "show ID", Short: "Show one", Args: oneArg("task show takes the id of one task"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.show(cmd, func(ctx context.Context, c *apiclient.Client) ([]object, error) {
				var found object
				err := ofAPI(ctx, c, "/api/task/"+url.PathEscape(lastPart(args[0])), &found)
				return []object{found}, err
			})
		},
	})
	return cmd
}

// ofAPI reads what VCD's older API shows, which is XML unless JSON is asked for so.
func ofAPI(ctx context.Context, c *apiclient.Client, path string, out any) error {
	body, err := c.Get(ctx, path, "application/*+json")
	if err != nil {
		return err
	}
	return json.Unmarshal(body, out)
}

// lastPart is the UUID at the end of a URN.
func lastPart(id string) string { return id[strings.LastIndexByte(id, ':')+1:] }

// actingIn is the id of the organization that commands act in.
func actingIn(ctx context.Context, c *apiclient.Client, tenant string) (string, error) {
	if tenant != "" {
		org, err := organizations.find(ctx, c, tenant)
		return lastPart(org.at("id")), err
	}
	var session object
	err := c.Do(ctx, http.MethodGet, "/cloudapi/1.0.0/sessions/current", nil, &session)
	return lastPart(session.at("org.id")), err
}
