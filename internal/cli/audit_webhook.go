package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"causeway/internal/apiclient"
	"causeway/internal/httpapi"
)

const webhooksPath = httpapi.OwnAPI + "/auditWebhooks"

// auditWebhook is what the API shows of a webhook.
type auditWebhook struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	URL     string `json:"url"`
	Org     string `json:"orgId"`
	Enabled bool   `json:"enabled"`
	GiveUp  int64  `json:"giveUpSeconds"`
	State   struct {
		Seq         int64      `json:"seq"`
		DeliveredAt *time.Time `json:"deliveredAt"`
		FailingAt   *time.Time `json:"failingSince"`
		Attempts    int        `json:"attempts"`
		Next        *time.Time `json:"nextAttemptAt"`
		Error       string     `json:"error"`
		Dead        int64      `json:"deadRows"`
	} `json:"state"`
	Secret string `json:"secret,omitempty"`
}

type deadLetter struct {
	First int64     `json:"first"`
	Last  int64     `json:"last"`
	Rows  int64     `json:"rows"`
	At    time.Time `json:"at"`
	Error string    `json:"error"`
	Again bool      `json:"redelivering"`
}

func newAuditWebhook() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "webhook",
		Short: "Have an HTTPS endpoint told of each change",
		Long: `Shows and manages the endpoints that are told of changes: each gets one signed
call for each change, in order, at least once. What an endpoint does not take is tried
again, and after a day put aside: "dead" lists that, "redeliver" has it sent again.

Only the provider sets endpoints; the right is "Site: Manage".`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	to, form := connectionFlags(cmd), outputFlag(cmd, "table")
	cmd.AddCommand(
		newWebhookList(to, form), newWebhookCreate(to, form), newWebhookSwitch(to, form, "enable", true), newWebhookSwitch(to, form, "disable", false),
		newWebhookSecret(to, form), newWebhookTest(to, form), newWebhookDead(to, form), newWebhookCall(to, "redeliver", http.MethodPost, "/redeliver", "is being delivered again", "Deliver again what was put aside"),
		newWebhookCall(to, "delete", http.MethodDelete, "", "deleted", "Delete a webhook, and what was put aside for it"),
	)
	return cmd
}

func webhooks(ctx context.Context, c *apiclient.Client) ([]auditWebhook, error) {
	var list struct{ Values []auditWebhook }
	err := c.Do(ctx, http.MethodGet, webhooksPath, nil, &list)
	return list.Values, err
}

// findWebhook finds one by its name or id.
func findWebhook(ctx context.Context, c *apiclient.Client, named string) (auditWebhook, error) {
	list, err := webhooks(ctx, c)
	if err != nil {
		return auditWebhook{}, err
	}
	for _, w := range list {
		if w.Name == named || w.ID == named {
			return w, nil
		}
	}
	return auditWebhook{}, exitError{fmt.Errorf("there is no webhook %s; audit webhook list shows them", named), exitNothing}
}

func newWebhookList(to *connection, form *output) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the webhooks, and how far each is",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return listed(cmd, to, form, writeWebhooks, webhooks)
		},
	}
}

func writeWebhooks(out io.Writer, list []auditWebhook) error {
	var rows [][]string
	for _, w := range list {
		delivered := "never"
		if w.State.DeliveredAt != nil {
			delivered = instant(*w.State.DeliveredAt)
		}
		rows = append(rows, printable(w.Name, w.URL, w.status(), strconv.FormatInt(w.State.Seq, 10), delivered, strconv.FormatInt(w.State.Dead, 10), w.ID))
	}
	return table(out, []string{"NAME", "URL", "STATE", "UP TO", "LAST TOLD", "DEAD", "WEBHOOK"}, rows)
}

func (w auditWebhook) status() string {
	switch {
	case !w.Enabled:
		return "disabled"
	case w.State.FailingAt != nil:
		return "failing since " + instant(*w.State.FailingAt) + ": " + w.State.Error
	case w.State.DeliveredAt == nil:
		return "nothing told yet"
	}
	return "well"
}

func newWebhookCreate(to *connection, form *output) *cobra.Command {
	var name, address, organization string
	var giveUp time.Duration
	cmd := &cobra.Command{
		Use:   "create --name NAME --endpoint URL",
		Short: "Have an endpoint told of each change from now on",
		Long: `Has an endpoint told of each change from now on. The secret by which calls are
signed is shown once, in the form of the Standard Webhooks. An endpoint in a private
network needs that network in audit.webhook_networks.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if name == "" || address == "" {
				return usageError{errors.New("say --name and --endpoint")}
			}
			return listed(cmd, to, form, writeWebhookMade, func(ctx context.Context, c *apiclient.Client) ([]auditWebhook, error) {
				ask := map[string]any{"name": name, "url": address, "giveUpSeconds": int64(giveUp.Seconds())}
				if organization != "" {
					id, err := findOrganization(ctx, c, organization)
					if err != nil {
						return nil, err
					}
					ask["orgId"] = id
				}
				var made auditWebhook
				err := c.Do(ctx, http.MethodPost, webhooksPath, ask, &made)
				return []auditWebhook{made}, err
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "what the webhook is called, unique")
	f.StringVar(&address, "endpoint", "", "URL that is told")
	f.StringVar(&organization, "organization", "", "only changes in it, as its members may know them")
	f.DurationVar(&giveUp, "give-up", 24*time.Hour, "after how long a change that it does not take is put aside")
	return cmd
}

var writeWebhookMade = showingOnce(writeWebhooks, "secret of its calls", func(w auditWebhook) string { return w.Secret })

func newWebhookSwitch(to *connection, form *output, verb string, on bool) *cobra.Command {
	return &cobra.Command{
		Use:   verb + " NAME",
		Short: map[bool]string{true: "Tell an endpoint again, from where it was", false: "Tell an endpoint nothing until it is enabled"}[on],
		Args:  oneArg("webhook " + verb + " takes the name of one webhook"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return listed(cmd, to, form, writeWebhooks, func(ctx context.Context, c *apiclient.Client) ([]auditWebhook, error) {
				w, err := findWebhook(ctx, c, args[0])
				if err != nil {
					return nil, err
				}
				ask := map[string]any{"name": w.Name, "url": w.URL, "orgId": w.Org, "giveUpSeconds": w.GiveUp, "enabled": on}
				err = c.Do(ctx, http.MethodPut, webhooksPath+"/"+url.PathEscape(w.ID), ask, &w)
				return []auditWebhook{w}, err
			})
		},
	}
}

func newWebhookSecret(to *connection, form *output) *cobra.Command {
	return &cobra.Command{
		Use:   "secret NAME",
		Short: "Replace the secret of a webhook; the old one signs nothing any more",
		Args:  oneArg("webhook secret takes the name of one webhook"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return listed(cmd, to, form, writeWebhookMade, func(ctx context.Context, c *apiclient.Client) ([]auditWebhook, error) {
				w, err := findWebhook(ctx, c, args[0])
				if err != nil {
					return nil, err
				}
				err = c.Do(ctx, http.MethodPost, webhooksPath+"/"+url.PathEscape(w.ID)+"/secret", nil, &w)
				return []auditWebhook{w}, err
			})
		},
	}
}

// webhookTried is what came of a test.
type webhookTried struct {
	Delivered bool   `json:"delivered"`
	Took      int64  `json:"tookMilliseconds"`
	Error     string `json:"error"`
}

func newWebhookTest(to *connection, form *output) *cobra.Command {
	return &cobra.Command{
		Use:   "test NAME",
		Short: "Call an endpoint once, now, and say what came of it",
		Long: `Calls an endpoint once, now, also a disabled one, with a signed message of the type
webhook.test, which tells of no change. What the endpoint is still to be told waits
for nothing and is not lost. The exit code says whether the endpoint took it.`,
		Args: oneArg("webhook test takes the name of one webhook"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var all []webhookTried
			err := listed(cmd, to, form, writeTried, func(ctx context.Context, c *apiclient.Client) ([]webhookTried, error) {
				w, err := findWebhook(ctx, c, args[0])
				if err != nil {
					return nil, err
				}
				all = make([]webhookTried, 1)
				return all, c.Do(ctx, http.MethodPost, webhooksPath+"/"+url.PathEscape(w.ID)+"/test", nil, &all[0])
			})
			if err == nil && !all[0].Delivered {
				err = fmt.Errorf("%s did not take the test", args[0])
			}
			return err
		},
	}
}

func writeTried(out io.Writer, list []webhookTried) error {
	for _, t := range list {
		says := "taken"
		if !t.Delivered {
			says = "not taken: " + t.Error
		}
		if _, err := fmt.Fprintf(out, "%s (%d ms)\n", apiclient.Printable(says), t.Took); err != nil {
			return err
		}
	}
	return nil
}

func newWebhookDead(to *connection, form *output) *cobra.Command {
	return &cobra.Command{
		Use:   "dead NAME",
		Short: "List what a webhook did not take in time",
		Args:  oneArg("webhook dead takes the name of one webhook"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return listed(cmd, to, form, writeDead, func(ctx context.Context, c *apiclient.Client) ([]deadLetter, error) {
				w, err := findWebhook(ctx, c, args[0])
				if err != nil {
					return nil, err
				}
				var list struct{ Values []deadLetter }
				err = c.Do(ctx, http.MethodGet, webhooksPath+"/"+url.PathEscape(w.ID)+"/deadLetters", nil, &list)
				return list.Values, err
			})
		},
	}
}

func writeDead(out io.Writer, list []deadLetter) error {
	var rows [][]string
	for _, d := range list {
		state := "put aside"
		if d.Again {
			state = "being delivered again"
		}
		rows = append(rows, printable(strconv.FormatInt(d.First, 10), strconv.FormatInt(d.Last, 10), strconv.FormatInt(d.Rows, 10), instant(d.At), state, d.Error))
	}
	return table(out, []string{"FROM", "TO", "ROWS", "AT", "STATE", "WHY"}, rows)
}

// newWebhookCall is a command that answers nothing.
func newWebhookCall(to *connection, verb, method, path, done, short string) *cobra.Command {
	return &cobra.Command{
		Use:   verb + " NAME",
		Short: short,
		Args:  oneArg("webhook " + verb + " takes the name of one webhook"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return to.with(cmd, func(ctx context.Context, c *apiclient.Client) error {
				w, err := findWebhook(ctx, c, args[0])
				if err != nil {
					return err
				}
				if err := c.Do(ctx, method, webhooksPath+"/"+url.PathEscape(w.ID)+path, nil, nil); err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", apiclient.Printable(w.Name), done)
				return err
			})
		},
	}
}
