package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"

	"causeway/internal/apiclient"
)

var (
	roles = kind{
		one: "role", path: "/cloudapi/1.0.0/roles", urn: "role", name: "name",
		columns: []column{{"ROLE", "name"}, {"READ-ONLY", "readOnly"}, {"DESCRIPTION", "description"}, {"ID", "id"}},
	}
	globalRoles = kind{
		one: "global role", path: "/cloudapi/1.0.0/globalRoles", urn: "globalRole", name: "name",
		columns: []column{{"GLOBAL ROLE", "name"}, {"FOR ALL", "publishAll"}, {"DESCRIPTION", "description"}, {"ID", "id"}},
	}
	rights = kind{
		one: "right", path: "/cloudapi/1.0.0/rights", urn: "right", name: "name",
		columns: []column{{"RIGHT", "name"}, {"TYPE", "rightType"}, {"DESCRIPTION", "description"}},
	}
)

func newRole() *cobra.Command {
	cmd := group("role", "Create and manage roles and the rights that they give", `Creates and manages the roles of an organization, and with "role global" the roles
that the provider publishes to organizations.`, `  causeway role show "Organization Administrator" --rights
  causeway role create auditor --right "Audit Trail: View" --right "Organization: View"
  causeway role set-rights auditor --right "Audit Trail: View"
  causeway role global publish support --to acme --to acme-labs`)
	r := newResources(cmd, roles).inTenants(cmd)
	cmd.AddCommand(r.roleCommands()...)
	global := group("global", "Create and manage the roles that the provider publishes", `Creates and manages roles that the provider publishes to organizations, which cannot
change them.`, "  causeway role global list\n  causeway role global publish support --all")
	g := &resources{kind: globalRoles, to: r.to, form: r.form}
	global.AddCommand(append(g.roleCommands(), g.publishing("publish", "Let organizations use a role", "publishAll"),
		g.publishing("unpublish", "Take a role from organizations: who has it there has no role any more", "unpublishAll"))...)
	cmd.AddCommand(global)
	return cmd
}

func (r *resources) roleCommands() []*cobra.Command {
	return []*cobra.Command{
		r.list("List roles"), r.showRole(), r.createRole(), r.setRights(),
		r.remove("nobody may have it any more: who has it must get another role before"),
	}
}

// showRole prints a role, and its rights where they are asked for or a program reads.
func (r *resources) showRole() *cobra.Command {
	withRights := false
	cmd := r.get()
	cmd.Flags().BoolVar(&withRights, "rights", false, "list the rights that it gives, too")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return r.with(cmd, func(ctx context.Context, c *apiclient.Client) error {
			o, err := r.find(ctx, c, args[0])
			if err != nil {
				return err
			}
			var given []object
			if withRights {
				if given, err = apiclient.All[object](ctx, c, r.of(o.at("id"))+"/rights"); err != nil {
					return err
				}
				o["rights"] = given
			}
			return r.form.print(cmd.OutOrStdout(), []object{o}, func(out io.Writer) error {
				if err := r.write(out, []object{o}); err != nil || !withRights {
					return err
				}
				fmt.Fprintln(out)
				return rights.write(out, given)
			})
		})
	}
	return cmd
}

func (r *resources) createRole() *cobra.Command {
	var description string
	var given []string
	var missing bool
	cmd := &cobra.Command{
		Use: "create NAME", Short: "Create a role with rights", Args: oneArg("say what one role is called"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.show(cmd, func(ctx context.Context, c *apiclient.Client) ([]object, error) {
				refs, err := findRights(ctx, c, given) // before anything is made
				if err != nil {
					return nil, err
				}
				made, err := r.create(ctx, c, missing, args[0], object{"name": args[0], "description": description})
				if err == nil && len(refs) > 0 {
					err = c.Do(ctx, http.MethodPut, r.of(made[0].at("id"))+"/rights", refs.values(), nil)
				}
				return made, err
			})
		},
	}
	cmd.Flags().StringVar(&description, "description", "", "what it is for")
	rightFlag(cmd, &given)
	ifMissing(cmd, &missing)
	return cmd
}

func (r *resources) setRights() *cobra.Command {
	var given []string
	var none bool
	cmd := r.one("set-rights", "Have a role give these rights and no others, at once", func(ctx context.Context, c *apiclient.Client, o object) (object, error) {
		if len(given) == 0 && !none {
			return nil, usageError{fmt.Errorf("say which rights by --right, or --none")}
		}
		refs, err := findRights(ctx, c, given)
		if err != nil {
			return nil, err
		}
		return o, c.Do(ctx, http.MethodPut, r.of(o.at("id"))+"/rights", refs.values(), nil)
	})
	rightFlag(cmd, &given)
	cmd.Flags().BoolVar(&none, "none", false, "no rights at all")
	return cmd
}

func rightFlag(cmd *cobra.Command, given *[]string) {
	cmd.Flags().StringArrayVar(given, "right", nil, "name of a right; for several give it several times")
}

// references are a list of objects as bodies name them.
type references []object

func (r references) values() object {
	if r == nil {
		r = references{}
	}
	return object{"values": r}
}

func findRights(ctx context.Context, c *apiclient.Client, names []string) (refs references, err error) {
	if len(names) == 0 {
		return nil, nil
	}
	all, err := apiclient.All[object](ctx, c, rights.path)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		o, err := rights.choose(all, name)
		if err != nil {
			return nil, err
		}
		refs = append(refs, object{"id": o["id"], "name": o["name"]})
	}
	return refs, nil
}

// publishing gives a global role to organizations, or takes it from them.
func (r *resources) publishing(use, short, everybody string) *cobra.Command {
	var to []string
	var all bool
	cmd := r.one(use, short, func(ctx context.Context, c *apiclient.Client, o object) (object, error) {
		path := r.of(o.at("id")) + "/tenants/"
		if all == (len(to) > 0) {
			return nil, usageError{fmt.Errorf("say to whom, by --to ORG or by --all")}
		}
		if all {
			return o, c.Do(ctx, http.MethodPost, path+everybody, nil, nil)
		}
		var refs references
		for _, name := range to {
			org, err := organizations.find(ctx, c, name)
			if err != nil {
				return nil, err
			}
			refs = append(refs, object{"id": org["id"], "name": org["name"]})
		}
		return o, c.Do(ctx, http.MethodPost, path+use, refs.values(), nil)
	})
	cmd.Flags().StringArrayVar(&to, "to", nil, "name or id of an organization; for several give it several times")
	cmd.Flags().BoolVar(&all, "all", false, "every organization, also those to come")
	return cmd
}

func newRight() *cobra.Command {
	cmd := group("right", "List the rights that there are", "Lists the rights out of which roles are made.",
		"  causeway right list --filter 'name==*Service*'")
	r := newResources(cmd, rights).inTenants(cmd)
	cmd.AddCommand(r.list("List rights"), r.get())
	return cmd
}
