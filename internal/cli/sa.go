package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"causeway/internal/apiclient"
	"causeway/tenants"
)

var serviceAccounts = kind{
	one: "service account", path: "/cloudapi/1.0.0/serviceAccounts", urn: "serviceAccount", name: "name",
	columns: []column{{"SERVICE ACCOUNT", "name"}, {"STATUS", "status"}, {"ROLE", "role.name"}, {"VERSION", "softwareVersion"}, {"SOFTWARE ID", "softwareId"}, {"ID", "id"}},
}

func newSA() *cobra.Command {
	cmd := group("sa", "Create service accounts, and answer their requests for access", `Creates and manages service accounts: identities of apps that get tokens by the device
grant. An app shows a user code; "sa review" says who asks for what, and grants or
denies.`, `  causeway sa create backup --role "Organization Administrator" --software-version 1.0
  causeway sa review 3VL8-SQVJ
  causeway sa review 3VL8-SQVJ --grant --yes
  causeway sa revoke backup`)
	cmd.Aliases = []string{"service-account"}
	r := newResources(cmd, serviceAccounts).inTenants(cmd)
	cmd.AddCommand(r.list("List service accounts"), r.get(), newSACreate(r), newSAEdit(r), newSAReview(r),
		r.end("revoke", "End what a service account holds", "its tokens and sessions end at once; it can ask for access again", "revoked",
			func(ctx context.Context, c *apiclient.Client, o object) error {
				return c.Do(ctx, http.MethodPost, r.of(o.at("id"))+"/revoke", nil, nil)
			}),
		r.remove("its tokens and sessions end at once, and its client id is never given out again"))
	return cmd
}

func newSACreate(r *resources) *cobra.Command {
	var role, softwareID, version, uri string
	cmd := &cobra.Command{
		Use: "create NAME --role ROLE", Short: "Create a service account; its client id is the end of its id",
		Args: oneArg("sa create takes the name of one service account"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.show(cmd, func(ctx context.Context, c *apiclient.Client) ([]object, error) {
				realm := c.Org()
				if *r.tenant != "" {
					org, err := organizations.find(ctx, c, *r.tenant)
					if err != nil {
						return nil, err
					}
					realm = org.at("name")
				}
				has, err := roles.find(ctx, c, role)
				if err != nil {
					return nil, err
				}
				var made struct {
					ID string `json:"client_id"`
				}
				err = c.Do(ctx, http.MethodPost, apiclient.Realm(realm)+"/register", object{
					"client_name": args[0], "software_id": softwareID, "software_version": version, "client_uri": uri,
					"scope": "urn:vcloud:role:" + url.PathEscape(has.at("name")),
				}, &made)
				if err != nil {
					return nil, err
				}
				o, err := r.find(ctx, c, made.ID)
				return []object{o}, err
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&role, "role", "", "name or id of the role that it acts with")
	f.StringVar(&softwareID, "software-id", tenants.NewID(), "UUID of the software, the same at every site; a new one if none is given")
	f.StringVar(&version, "software-version", "1", "version of the software")
	f.StringVar(&uri, "uri", "", "where people read about it")
	f.Lookup("software-id").DefValue = ""
	_ = cmd.MarkFlagRequired("role")
	return cmd
}

func newSAEdit(r *resources) *cobra.Command {
	var role, softwareID, version, uri string
	cmd := r.one("edit", "Change role, software id, version or URI; what no flag names stays", nil)
	f := cmd.Flags()
	f.StringVar(&softwareID, "software-id", "", "another UUID of the software")
	f.StringVar(&version, "software-version", "", "another version")
	f.StringVar(&uri, "uri", "", "another place to read about it")
	r.editing(cmd, map[string]*string{"softwareId": &softwareID, "softwareVersion": &version, "uri": &uri},
		map[string]string{"softwareId": "software-id", "softwareVersion": "software-version", "uri": "uri"})
	plain := cmd.RunE
	f.StringVar(&role, "role", "", "name or id of another role, which takes effect at once")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if role == "" {
			return plain(cmd, args)
		}
		return r.show(cmd, func(ctx context.Context, c *apiclient.Client) ([]object, error) {
			o, err := r.find(ctx, c, args[0])
			if err != nil {
				return nil, err
			}
			has, err := roles.find(ctx, c, role)
			if err != nil {
				return nil, err
			}
			changes := map[string]any{"role": object{"id": has["id"], "name": has["name"]}}
			for member, given := range map[string]string{"softwareId": softwareID, "softwareVersion": version, "uri": uri} {
				if given != "" {
					changes[member] = given
				}
			}
			o, err = r.put(ctx, c, o, changes)
			return []object{o}, err
		})
	}
	return cmd
}

// newSAReview shows who asks, and answers. The code is of one request alone.
func newSAReview(r *resources) *cobra.Command {
	var grant, deny, yes bool
	cmd := &cobra.Command{
		Use: "review USER-CODE", Short: "Say who asks for access with a user code, and grant or deny it",
		Long: `Shows which service account asks, from where, and what it could do. With --grant or
--deny it is answered: the person is asked once more, unless --yes says it all.`,
		Args: oneArg("sa review takes the user code that the app shows"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if grant && deny {
				return usageError{fmt.Errorf("--grant and --deny exclude each other")}
			}
			return r.with(cmd, func(ctx context.Context, c *apiclient.Client) error {
				code := object{"userCode": args[0]}
				var asked object
				if err := c.Seen(ctx, "/cloudapi/1.0.0/deviceLookup", code, &asked); err != nil {
					return err
				}
				if err := r.form.print(cmd.OutOrStdout(), asked, func(out io.Writer) error { return writeRequest(out, asked) }); err != nil || !grant && !deny {
					return err
				}
				answer := map[bool]string{true: "grant", false: "deny"}[grant]
				if err := confirm(cmd, yes, fmt.Sprintf("The request of %s is answered: %s.", apiclient.Printable(asked.at("serviceAccount.name")), answer)); err != nil {
					return err
				}
				if err := c.Do(ctx, http.MethodPost, "/cloudapi/1.0.0/deviceLookup/"+answer, code, nil); err != nil {
					return err
				}
				_, err := fmt.Fprintln(cmd.ErrOrStderr(), map[bool]string{true: "Granted: the app has its tokens within seconds.", false: "Denied."}[grant])
				return err
			})
		},
	}
	f := cmd.Flags()
	f.BoolVar(&grant, "grant", false, "let it in")
	f.BoolVar(&deny, "deny", false, "refuse it")
	f.BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func writeRequest(out io.Writer, asked object) error {
	for _, line := range []struct{ name, path string }{
		{"Service account", "serviceAccount.name"}, {"Software", "serviceAccount.softwareId"}, {"Version", "serviceAccount.softwareVersion"},
		{"Role", "serviceAccount.role.name"}, {"Asked from", "requesterAddress"}, {"Program", "requesterUserAgent"},
		{"Asked at", "requestedAt"}, {"Until", "expiresAt"}, {"Other open requests", "otherOpenRequests"},
	} {
		fmt.Fprintf(out, "%-20s %s\n", line.name+":", apiclient.Printable(asked.at(line.path)))
	}
	fmt.Fprintln(out, "It could:")
	list, _ := asked["rights"].([]any)
	for _, right := range list {
		fmt.Fprintln(out, "  "+apiclient.Printable(strings.TrimSpace(fmt.Sprint(right))))
	}
	return nil
}
