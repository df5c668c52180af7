package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"causeway/internal/apiclient"
	"causeway/internal/secret"
)

func newAppSecret(to *connection, form *output) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "secret",
		Short: "Replace an app's secret, at once or with an overlap",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newAppRegenerate(to, form), newAppRotate(to, form), newAppEndRotation(to))
	return cmd
}

// secretPath is where an app's secret is changed.
func secretPath(base, id string) string {
	return base + "/oauth-apps/" + url.PathEscape(id) + "/secret"
}

func newAppRegenerate(to *connection, form *output) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "regenerate CLIENT-ID",
		Short: "Make a new secret; the old one and its tokens end at once",
		Long: `Makes a new secret and shows it, once. From then on the old one is refused, and so is
every access token that was got with it, at every site. Whatever uses the app stands
still until it has the new secret.`,
		Args: oneArg("app secret regenerate takes the client id of one app"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := form.check(); err != nil {
				return err
			}
			return to.inOrganization(cmd, func(ctx context.Context, c *apiclient.Client, base string) error {
				var made credentials
				if err := c.Do(ctx, http.MethodPut, secretPath(base, args[0]), map[string]any{}, &made); err != nil {
					return err
				}
				return made.show(cmd, form, file)
			})
		},
	}
	cmd.Flags().StringVar(&file, "credentials", "", "file to write client id and secret to, JSON")
	return cmd
}

func newAppRotate(to *connection, form *output) *cobra.Command {
	var file, given string
	var overlap time.Duration
	cmd := &cobra.Command{
		Use:   "rotate CLIENT-ID",
		Short: "Give an app a second secret; the old one works for a while",
		Long: `Gives an app a new secret beside the old one, which works until --overlap is over, or
"causeway app secret end-rotation" ends it. The new one is made here, or read from
--secret-file.`,
		Args: oneArg("app secret rotate takes the client id of one app"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := form.check(); err != nil {
				return err
			}
			made := credentials{ClientID: args[0], ClientSecret: secret.Base62(43)}
			if given != "" {
				text, err := readPassword(given)
				if err != nil {
					return err
				}
				made.ClientSecret = text.Reveal()
			}
			body := map[string]any{"newClientSecret": made.ClientSecret}
			if overlap > 0 {
				body["secretRotationExpirationInSeconds"] = int(overlap.Seconds())
			}
			return to.inOrganization(cmd, func(ctx context.Context, c *apiclient.Client, base string) error {
				if err := c.Do(ctx, http.MethodPost, secretPath(base, args[0]), body, nil); err != nil {
					return err
				}
				return made.show(cmd, form, file)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&file, "credentials", "", "file to write client id and secret to, JSON")
	f.StringVar(&given, "secret-file", "", "file with the new secret: 32 characters or more of A-Za-z0-9-_.~")
	f.DurationVar(&overlap, "overlap", 0, "how long the old secret works; 0 is what the app or the site says")
	return cmd
}

func newAppEndRotation(to *connection) *cobra.Command {
	return &cobra.Command{
		Use:   "end-rotation CLIENT-ID",
		Short: "End the old secret of a rotation now",
		Args:  oneArg("app secret end-rotation takes the client id of one app"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return to.inOrganization(cmd, func(ctx context.Context, c *apiclient.Client, base string) error {
				if err := c.Do(ctx, http.MethodDelete, secretPath(base, args[0]), nil, nil); err != nil {
					return err
				}
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: the old secret has ended\n", apiclient.Printable(args[0]))
				return err
			})
		},
	}
}

// failedOperation is one of several that were asked for together. Some operations
// say only which.
type failedOperation struct {
	ID      string
	Message string
}

func (f *failedOperation) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &f.ID)
	}
	var both struct{ ID, Message string }
	if err := json.Unmarshal(b, &both); err != nil {
		return err
	}
	f.ID, f.Message = both.ID, both.Message
	return nil
}

func failures(failed []failedOperation) error {
	var lines []string
	for _, f := range failed {
		line := apiclient.Printable(f.ID)
		if f.Message != "" {
			line += ": " + apiclient.Printable(f.Message)
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return nil
	}
	return errors.New("refused: " + strings.Join(lines, "; "))
}
