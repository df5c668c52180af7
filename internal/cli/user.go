package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"causeway/internal/apiclient"
)

var users = kind{
	one: "user", path: "/cloudapi/1.0.0/users", urn: "user", name: "username",
	columns: []column{{"USER", "username"}, {"FULL NAME", "fullName"}, {"ROLE", "roleEntityRefs.name"}, {"ENABLED", "enabled"}, {"LOCKED", "locked"}, {"ID", "id"}},
}

func newUser() *cobra.Command {
	cmd := group("user", "Create and manage the people of an organization", `Creates and manages people who log in with a password. A user belongs to one
organization and has one role there.`, `  causeway user create jane --role "Organization Administrator" --password-from jane.txt
  causeway user list --tenant acme --filter 'locked==true'
  causeway user unlock jane`)
	r := newResources(cmd, users).inTenants(cmd)
	cmd.AddCommand(r.list("List users"), r.get(), newUserCreate(r),
		r.one("enable", "Let a user log in again", r.setting("enabled", true)),
		r.one("unlock", "Let a user try again who was locked out after wrong passwords", r.setting("locked", false)),
		r.end("disable", "Keep a user out", "the user's sessions end at once, and so do those of the user's API tokens", "disabled",
			func(ctx context.Context, c *apiclient.Client, o object) error {
				_, err := r.setting("enabled", false)(ctx, c, o)
				return err
			}),
		newUserPassword(r), newUserRole(r), r.remove("the user's sessions and API tokens end at once"))
	return cmd
}

// setting switches one member. What is so already is left alone.
func (r *resources) setting(member string, on bool) func(context.Context, *apiclient.Client, object) (object, error) {
	return func(ctx context.Context, c *apiclient.Client, o object) (object, error) {
		if o[member] == on {
			return o, nil
		}
		return r.put(ctx, c, o, map[string]any{member: on})
	}
}

func newUserCreate(r *resources) *cobra.Command {
	var role, full, email, description, from string
	var disabled, missing bool
	cmd := &cobra.Command{
		Use: "create NAME --role ROLE", Short: "Create a user with a password", Args: oneArg("user create takes the name of one user"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if role == "" {
				return usageError{errors.New("say which role the user has by --role; role list shows them")}
			}
			return r.show(cmd, func(ctx context.Context, c *apiclient.Client) ([]object, error) {
				has, err := roles.find(ctx, c, role)
				if err != nil {
					return nil, err
				}
				password, err := newPassword(cmd, "--password-from", from, args[0])
				if err != nil {
					return nil, err
				}
				return r.create(ctx, c, missing, args[0], object{
					"username": args[0], "fullName": full, "email": email, "description": description, "enabled": !disabled,
					"providerType": "LOCAL", "password": password.Reveal(), "roleEntityRefs": []object{{"id": has["id"], "name": has["name"]}},
				})
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&role, "role", "", "name or id of the user's role")
	f.StringVar(&full, "full-name", "", "what the person is called")
	f.StringVar(&email, "email", "", "the person's address")
	f.StringVar(&description, "description", "", "who it is")
	f.BoolVar(&disabled, "disabled", false, "the user cannot log in until enabled")
	passwordFrom(cmd, &from)
	ifMissing(cmd, &missing)
	return cmd
}

func newUserPassword(r *resources) *cobra.Command {
	var from string
	cmd := r.one("set-password", "Give a user another password; the user's sessions end", nil)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return r.show(cmd, func(ctx context.Context, c *apiclient.Client) ([]object, error) {
			o, err := r.find(ctx, c, args[0])
			if err != nil {
				return nil, err
			}
			password, err := newPassword(cmd, "--password-from", from, args[0])
			if err != nil {
				return nil, err
			}
			o, err = r.put(ctx, c, o, map[string]any{"password": password.Reveal()})
			return []object{o}, err
		})
	}
	passwordFrom(cmd, &from)
	return cmd
}

func newUserRole(r *resources) *cobra.Command {
	var role string
	cmd := r.one("set-role", "Give a user another role, at once", func(ctx context.Context, c *apiclient.Client, o object) (object, error) {
		has, err := roles.find(ctx, c, role)
		if err != nil {
			return nil, err
		}
		return r.put(ctx, c, o, map[string]any{"roleEntityRefs": []object{{"id": has["id"], "name": has["name"]}}})
	})
	cmd.Flags().StringVar(&role, "role", "", "name or id of the role")
	_ = cmd.MarkFlagRequired("role")
	return cmd
}
