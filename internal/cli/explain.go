package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"causeway/internal/apiclient"
	"causeway/internal/httpapi"
	"causeway/internal/refusal"
)

func newExplain() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain REQUEST-ID",
		Short: "Say why a request was refused",
		Long: `Says why a request was refused: who asked for what, which right, limit or token
decided, and what could be done about it.

The identifier is in front of the refusal's message, in its header
X-VMWARE-VCLOUD-REQUEST-ID, and in the log. Who asks needs the right
"Audit Trail: View" and sees what was refused in the own organization; the
provider sees all of the site. What another site refused is kept there.

Exit codes: 0 explained, 1 failed, 2 wrong command line, 5 nothing is known of it.`,
		Example: `  causeway explain --dev 0b0f7f0e-5f2c-4d4b-9c7e-0d3a5a4d5c11
  causeway explain --url https://west.example.com --org acme --user jane 0b0f7f0e-…`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{errors.New("explain takes the identifier of one request")}
			}
			return nil
		},
	}
	to, form := connectionFlags(cmd), outputFlag(cmd, "text")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := form.check(); err != nil {
			return err
		}
		id, ok := httpapi.ReadRequestID(args[0])
		if !ok {
			return usageError{fmt.Errorf("%.200q is no identifier of a request", args[0])}
		}
		return to.with(cmd, func(ctx context.Context, c *apiclient.Client) error {
			found, err := explain(ctx, c, id)
			if err != nil {
				return err
			}
			err = form.print(cmd.OutOrStdout(), found, func(out io.Writer) error { return writeExplanation(out, found) })
			if err == nil && !found.Known {
				err = exitError{errors.New("the site keeps no such refusal"), exitNothing}
			}
			return err
		})
	}
	return cmd
}

// explain asks for the refusal. What is not there and what may not be seen are
// one answer, so whether lists may be seen tells which it is.
func explain(ctx context.Context, c *apiclient.Client, id string) (refusal.Explanation, error) {
	const all = httpapi.OwnAPI + "/refusals"
	var shown refusal.Shown
	err := c.Do(ctx, http.MethodGet, all+"/"+url.PathEscape(id), nil, &shown)
	if err == nil {
		return refusal.Explain(shown), nil
	}
	if !apiclient.Refused(err, http.StatusForbidden) {
		return refusal.Explanation{}, err
	}
	if err := c.Do(ctx, http.MethodGet, all+"?pageSize=1", nil, nil); err != nil {
		return refusal.Explanation{}, err
	}
	return refusal.ExplainNothing(id, c.Base(), c.Org()), nil
}

func writeExplanation(out io.Writer, e refusal.Explanation) error {
	for _, line := range e.Lines() {
		if _, err := fmt.Fprintln(out, apiclient.Printable(line)); err != nil {
			return err
		}
	}
	return nil
}
