package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"causeway/internal/apiclient"
	"causeway/internal/httpapi"
)

// role is a role as requests and answers name it.
type role struct {
	Name      string `json:"name"`
	Resource  string `json:"resource,omitempty"`
	ExpiresAt int64  `json:"expiresAt,omitempty"` // Unix seconds
}

func (r role) String() string {
	text := r.Name
	if r.Resource != "" {
		text += "@" + r.Resource
	}
	if r.ExpiresAt != 0 {
		text += " until " + time.Unix(r.ExpiresAt, 0).UTC().Format(time.RFC3339)
	}
	return text
}

type serviceRoles struct {
	Definition string `json:"serviceDefinitionId"`
	Roles      []role `json:"serviceRoles"`
}

// scopes are the most that an app can be given.
type scopes struct {
	General      []string `json:"generalScopes"`
	Organization struct {
		All   bool   `json:"allRoles"`
		Roles []role `json:"roles"`
	} `json:"organizationScopes"`
	Services []struct {
		Definition string `json:"serviceDefinitionId"`
		All        bool   `json:"allRoles"`
		Roles      []role `json:"roles"`
	} `json:"servicesScopes"`
}

func (s scopes) String() string {
	var texts []string
	add := func(all bool, of string, roles []role) {
		if all {
			texts = append(texts, "all of "+of)
		}
		for _, r := range roles {
			texts = append(texts, r.String())
		}
	}
	add(s.Organization.All, "the organization's", s.Organization.Roles)
	for _, service := range s.Services {
		add(service.All, service.Definition, service.Roles)
	}
	return strings.Join(texts, " ")
}

// roleFlags are roles by name, of one, two or three kinds.
type roleFlags struct {
	organization, service, custom []string
	expires                       time.Duration
}

func (f *roleFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&f.organization, "org-role", nil, "organization role, as org_member or developer")
	cmd.Flags().StringSliceVar(&f.service, "service-role", nil, "service role, as aoa:proxies or, on one instance, aoa:proxies@INSTANCE-ID")
}

func (f *roleFlags) addGranted(cmd *cobra.Command) {
	f.add(cmd)
	cmd.Flags().StringSliceVar(&f.custom, "custom-role", nil, "custom role of the organization")
	cmd.Flags().DurationVar(&f.expires, "expires-in", 0, "how long the roles count; 0 is until they are taken away")
}

func (f *roleFlags) named(names []string) []role {
	roles := make([]role, 0, len(names))
	for _, name := range names {
		r := role{}
		r.Name, r.Resource, _ = strings.Cut(name, "@")
		if f.expires > 0 {
			r.ExpiresAt = time.Now().Add(f.expires).Unix()
		}
		roles = append(roles, r)
	}
	return roles
}

// services are the service roles by definition, which the part of a role's name
// before the colon tells.
func (f *roleFlags) services(ctx context.Context, c *apiclient.Client) ([]serviceRoles, error) {
	if len(f.service) == 0 {
		return nil, nil
	}
	definitions, err := apiclient.All[struct{ ID, Prefix string }](ctx, c, httpapi.OwnAPI+"/serviceDefinitions")
	if err != nil {
		return nil, err
	}
	var list []serviceRoles
	for _, r := range f.named(f.service) {
		prefix, _, _ := strings.Cut(r.Name, ":")
		known := slices.IndexFunc(definitions, func(d struct{ ID, Prefix string }) bool { return d.Prefix == prefix })
		if known < 0 {
			return nil, usageError{fmt.Errorf("no service has the role %s", r.Name)}
		}
		id := definitions[known].ID
		at := slices.IndexFunc(list, func(s serviceRoles) bool { return s.Definition == id })
		if at < 0 {
			at, list = len(list), append(list, serviceRoles{Definition: id})
		}
		list[at].Roles = append(list[at].Roles, r)
	}
	return list, nil
}

func (f *roleFlags) scopes(ctx context.Context, c *apiclient.Client) (map[string]any, error) {
	services, err := f.services(ctx, c)
	if err != nil {
		return nil, err
	}
	bounds := make([]map[string]any, 0, len(services))
	for _, s := range services {
		bounds = append(bounds, map[string]any{"serviceDefinitionId": s.Definition, "allRoles": false, "roles": s.Roles})
	}
	return map[string]any{
		"generalScopes":      []string{},
		"organizationScopes": map[string]any{"allRoles": false, "roles": f.named(f.organization)},
		"servicesScopes":     bounds,
	}, nil
}

// member is an app that was added to an organization.
type member struct {
	ID           string         `json:"id"`
	DisplayName  string         `json:"displayName"`
	Organization []role         `json:"organizationRoles"`
	Services     []serviceRoles `json:"serviceRoles"`
	Custom       []role         `json:"customRoles"`
	Source       struct {
		DisplayName string `json:"displayName"`
	} `json:"sourceOrg"`
}

func newAppMembers(to *connection, form *output) *cobra.Command {
	return &cobra.Command{
		Use:   "members",
		Short: "List the apps that were added to the organization, with their roles",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return listed(cmd, to, form, writeMembers, func(ctx context.Context, c *apiclient.Client) ([]member, error) {
				base, err := organization(ctx, c)
				if err != nil {
					return nil, err
				}
				return everyPage[member](ctx, c, base+"/clients")
			})
		},
	}
}

func writeMembers(out io.Writer, members []member) error {
	var rows [][]string
	for _, m := range members {
		var roles []string
		for _, r := range m.Organization {
			roles = append(roles, r.String())
		}
		for _, s := range m.Services {
			for _, r := range s.Roles {
				roles = append(roles, r.String())
			}
		}
		for _, r := range m.Custom {
			roles = append(roles, r.String())
		}
		rows = append(rows, printable(m.ID, m.DisplayName, m.Source.DisplayName, strings.Join(roles, " ")))
	}
	return table(out, []string{"CLIENT ID", "NAME", "OWNER", "ROLES"}, rows)
}

func newAppAdd(to *connection) *cobra.Command {
	var roles roleFlags
	cmd := &cobra.Command{
		Use:   "add CLIENT-ID",
		Short: "Add an app to the organization, with the roles that it has there",
		Long: `Adds an app to the organization with the roles that it has there: at most those that
its owner allows. The app may be of this organization, of another one of the site,
or, as CLIENT-ID@SITE, of an associated organization at another site. Give it what
it needs and no more.`,
		Args: oneArg("app add takes the client id of one app"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return to.inOrganization(cmd, func(ctx context.Context, c *apiclient.Client, base string) error {
				services, err := roles.services(ctx, c)
				if err != nil {
					return err
				}
				var answer struct {
					Failures []failedOperation `json:"failures"`
				}
				err = c.Do(ctx, http.MethodPost, base+"/clients", map[string]any{
					"ids": args, "organizationRoles": roles.named(roles.organization), "serviceRoles": services, "customRoles": roles.named(roles.custom),
				}, &answer)
				if err != nil {
					return err
				}
				if err := failures(answer.Failures); err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: added\n", apiclient.Printable(args[0]))
				return err
			})
		},
	}
	roles.addGranted(cmd)
	return cmd
}

func newAppRemove(to *connection) *cobra.Command {
	return &cobra.Command{
		Use:   "remove CLIENT-ID...",
		Short: "Take apps out of the organization; their tokens for it end at once",
		Args:  someArgs("app remove takes the client ids of apps"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return to.inOrganization(cmd, func(ctx context.Context, c *apiclient.Client, base string) error {
				return removeEach(ctx, cmd.OutOrStdout(), c, base+"/clients", map[string]any{"ids": args}, "removed")
			})
		},
	}
}

func newAppRoles(to *connection) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "roles",
		Short: "Give an app roles in the organization, or take them away",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newAppChangeRoles(to, "grant", "rolesToAdd", "Give an app roles; its next token shows them, and they count at once"),
		newAppChangeRoles(to, "revoke", "rolesToRemove", "Take roles from an app, at once"),
	)
	return cmd
}

func newAppChangeRoles(to *connection, verb, member, short string) *cobra.Command {
	var roles roleFlags
	cmd := &cobra.Command{
		Use:   verb + " CLIENT-ID",
		Short: short,
		Args:  oneArg("app roles " + verb + " takes the client id of one app"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(roles.organization)+len(roles.service)+len(roles.custom) == 0 {
				return usageError{errors.New("say which roles by --org-role, --service-role or --custom-role")}
			}
			return to.inOrganization(cmd, func(ctx context.Context, c *apiclient.Client, base string) error {
				services, err := roles.services(ctx, c)
				if err != nil {
					return err
				}
				var changes []map[string]any
				for _, s := range services {
					changes = append(changes, map[string]any{"serviceDefinitionId": s.Definition, member: s.Roles})
				}
				body := map[string]any{
					"organizationRoles": map[string]any{member: roles.named(roles.organization)},
					"serviceRoles":      changes,
					"customRoles":       map[string]any{member: roles.named(roles.custom)},
				}
				if err := c.Do(ctx, http.MethodPatch, base+"/clients/"+url.PathEscape(args[0])+"/roles", body, nil); err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: done\n", apiclient.Printable(args[0]))
				return err
			})
		},
	}
	roles.add(cmd)
	cmd.Flags().StringSliceVar(&roles.custom, "custom-role", nil, "custom role of the organization")
	return cmd
}
