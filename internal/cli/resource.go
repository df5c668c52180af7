package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"causeway/internal/apiclient"
)

// object is a resource as the API shows it. All of it is printed for programs, and
// sent back where a part of it changes, so that nothing gets lost.
type object map[string]any

// UnmarshalJSON reads whole numbers as such: YAML would show 1 as 1.0.
func (o *object) UnmarshalJSON(text []byte) error {
	var read map[string]any
	err := json.Unmarshal(text, &read)
	whole(read)
	*o = read
	return err
}

func whole(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = whole(member)
		}
	case []any:
		for i := range v {
			v[i] = whole(v[i])
		}
	case float64:
		if n := int64(v); float64(n) == v {
			return n
		}
	}
	return v
}

// at is what a path of names leads to, as text; lists are joined.
func (o object) at(path string) string { return text(o, strings.Split(path, ".")) }

func text(v any, path []string) string {
	switch v := v.(type) {
	case object:
		return text(map[string]any(v), path)
	case map[string]any:
		if len(path) == 0 {
			return ""
		}
		return text(v[path[0]], path[1:])
	case []any:
		var parts []string
		for _, one := range v {
			parts = append(parts, text(one, path))
		}
		return strings.Join(parts, ", ")
	case nil:
		return ""
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

// column is one of a table: its heading, and the path of names that leads to it.
type column struct{ heading, path string }

// kind is a sort of resource with a list on the OpenAPI wire.
type kind struct {
	one     string // what people call it
	path    string
	urn     string // urn:vcloud:<urn>:<uuid>
	name    string // the member that people know it by
	columns []column
}

func (k kind) of(id string) string { return k.path + "/" + url.PathEscape(id) }

func (k kind) write(out io.Writer, list []object) error {
	headings := make([]string, len(k.columns))
	for i, c := range k.columns {
		headings[i] = c.heading
	}
	rows := make([][]string, 0, len(list))
	for _, o := range list {
		row := make([]string, len(k.columns))
		for i, c := range k.columns {
			row[i] = o.at(c.path)
		}
		rows = append(rows, printable(row...))
	}
	return table(out, headings, rows)
}

var (
	uuid   = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
	simple = regexp.MustCompile(`^[A-Za-z0-9._@-]+$`) // means itself in a filter
)

// find is the one resource of a name or id. A name that fits several is an error that
// lists them.
func (k kind) find(ctx context.Context, c *apiclient.Client, named string) (object, error) {
	id := named
	if uuid.MatchString(named) {
		id = "urn:vcloud:" + k.urn + ":" + named
	}
	if strings.HasPrefix(id, "urn:vcloud:"+k.urn+":") {
		var found object
		err := c.Do(ctx, http.MethodGet, k.of(id), nil, &found)
		return found, err
	}
	want := apiclient.List{}
	if simple.MatchString(named) {
		want.Filter = k.name + "==" + named
	}
	list, err := apiclient.Some[object](ctx, c, k.path, want)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 && want.Filter != "" { // which minds the case
		if list, err = apiclient.All[object](ctx, c, k.path); err != nil {
			return nil, err
		}
	}
	return k.choose(list, named)
}

// choose prefers the very name to one that differs in case.
func (k kind) choose(list []object, named string) (object, error) {
	for _, same := range []func(a, b string) bool{func(a, b string) bool { return a == b }, strings.EqualFold} {
		var found []object
		for _, o := range list {
			if same(o.at(k.name), named) {
				found = append(found, o)
			}
		}
		switch len(found) {
		case 0:
		case 1:
			return found[0], nil
		default:
			var which []string
			for _, o := range found {
				which = append(which, apiclient.Printable(o.at("id")))
			}
			return nil, usageError{fmt.Errorf("%d are called %s; say which by its id: %s", len(found), named, strings.Join(which, ", "))}
		}
	}
	return nil, exitError{fmt.Errorf("there is no %s %q, or it may not be seen", k.one, named), exitNothing}
}

// resources is what the commands of a kind share.
type resources struct {
	kind
	to     *connection
	form   *output
	tenant *string // where providers act; nil where nobody can
}

// newResources adds the flags that all commands of a kind have.
func newResources(cmd *cobra.Command, k kind) *resources {
	return &resources{kind: k, to: connectionFlags(cmd), form: outputFlag(cmd, "table")}
}

// inTenants lets providers say in whose organization they act.
func (r *resources) inTenants(cmd *cobra.Command) *resources {
	r.tenant = cmd.PersistentFlags().String("tenant", "", "for providers: act in this organization, a name or id, instead of the own")
	return r
}

// with opens the connection and goes where --tenant says.
func (r *resources) with(cmd *cobra.Command, do func(context.Context, *apiclient.Client) error) error {
	if err := r.form.check(); err != nil {
		return err
	}
	return r.to.with(cmd, func(ctx context.Context, c *apiclient.Client) error {
		if r.tenant != nil && *r.tenant != "" {
			org, err := organizations.find(ctx, c, *r.tenant)
			if err != nil {
				return err
			}
			c.In(org.at("id"))
		}
		return do(ctx, c)
	})
}

// show prints what do made, found or changed.
func (r *resources) show(cmd *cobra.Command, do func(context.Context, *apiclient.Client) ([]object, error)) error {
	return r.with(cmd, func(ctx context.Context, c *apiclient.Client) error {
		list, err := do(ctx, c)
		if err != nil {
			return err
		}
		return r.form.print(cmd.OutOrStdout(), list, func(out io.Writer) error { return r.write(out, list) })
	})
}

func (r *resources) list(short string) *cobra.Command {
	var want apiclient.List
	cmd := &cobra.Command{
		Use: "list", Short: short, Args: noArgs,
		Long: short + `.

--filter takes FIQL as the API does: a comparison such as ` + r.name + `==jane or ` + r.name + `==j*,
several joined by ; for and, or by a comma for or.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if want.Limit < 0 {
				return usageError{errors.New("--limit is a number above 0, or 0 for all")}
			}
			return r.show(cmd, func(ctx context.Context, c *apiclient.Client) ([]object, error) {
				return apiclient.Some[object](ctx, c, r.path, want)
			})
		},
	}
	cmd.Flags().StringVar(&want.Filter, "filter", "", "only those that this FIQL expression is true of")
	cmd.Flags().IntVar(&want.Limit, "limit", 0, "at most so many; 0 is all")
	return cmd
}

// get is a command that shows one.
func (r *resources) get() *cobra.Command {
	return r.one("show", "Show one", func(_ context.Context, _ *apiclient.Client, o object) (object, error) { return o, nil })
}

// one is a command about one resource, which is printed as do leaves it.
func (r *resources) one(use, short string, do func(context.Context, *apiclient.Client, object) (object, error)) *cobra.Command {
	return &cobra.Command{
		Use: use + " NAME|ID", Short: short, Args: oneArg("say which " + r.kind.one + ", by its name or id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.show(cmd, func(ctx context.Context, c *apiclient.Client) ([]object, error) {
				o, err := r.find(ctx, c, args[0])
				if err == nil {
					o, err = do(ctx, c, o)
				}
				return []object{o}, err
			})
		},
	}
}

// put sends one back with changes.
func (k kind) put(ctx context.Context, c *apiclient.Client, o object, changes map[string]any) (changed object, err error) {
	for name, value := range changes {
		o[name] = value
	}
	err = c.Do(ctx, http.MethodPut, k.of(o.at("id")), o, &changed)
	return changed, err
}

// end is a command that ends what exists; ends says what goes with it.
func (r *resources) end(use, short, ends, done string, do func(context.Context, *apiclient.Client, object) error) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: use + " NAME|ID", Short: short, Long: short + ": " + ends + ".",
		Args: oneArg("say which " + r.kind.one + ", by its name or id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.with(cmd, func(ctx context.Context, c *apiclient.Client) error {
				o, err := r.find(ctx, c, args[0])
				if err != nil {
					return err
				}
				label := apiclient.Printable(fmt.Sprintf("%s %s (%s)", r.kind.one, o.at(r.name), o.at("id")))
				if err := confirm(cmd, yes, fmt.Sprintf("%s %s: %s.", use, label, ends)); err != nil {
					return err
				}
				if err := do(ctx, c, o); err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", label, done)
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func (r *resources) remove(ends string) *cobra.Command {
	return r.end("delete", "Delete one for good", ends, "deleted", func(ctx context.Context, c *apiclient.Client, o object) error {
		return c.Do(ctx, http.MethodDelete, r.of(o.at("id")), nil, nil)
	})
}
