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
	"causeway/internal/httpapi"
)

// link is an association as the API shows it: of a site, or of an organization.
type link struct {
	ID          string       `json:"id,omitempty"`
	Name        string       `json:"name,omitempty"`
	LocationID  string       `json:"locationId,omitempty"`
	Org         *httpapi.Ref `json:"org,omitempty"`
	Site        *httpapi.Ref `json:"site,omitempty"`
	Status      string       `json:"status"`
	Reason      string       `json:"reason,omitempty"`
	StatusSince string       `json:"statusSince,omitempty"`
	LastContact string       `json:"lastContact,omitempty"`
	Fingerprint string       `json:"fingerprint"`
}

func writeLinks(out io.Writer, links []link) error {
	if len(links) == 0 {
		_, err := fmt.Fprintln(out, "There is no association yet: export here, associate there, and the other way round.")
		return err
	}
	var rows [][]string
	for _, l := range links {
		name, id := l.Name, l.ID
		if l.Org != nil && l.Site != nil {
			name, id = l.Org.Name+" at "+l.Site.Name, l.LocationID
		}
		rows = append(rows, printable(name, l.Status, l.StatusSince, l.LastContact, l.Reason, id, l.Fingerprint))
	}
	return table(out, []string{"NAME", "STATUS", "SINCE", "LAST CONTACT", "WHY", "ID", "FINGERPRINT"}, rows)
}

// routed is where a request would go, as the API explains it.
type routed struct {
	Row        string       `json:"row"`
	Meaning    string       `json:"meaning"`
	Decision   string       `json:"decision"`
	Org        *httpapi.Ref `json:"org,omitempty"`
	LocationID string       `json:"locationId,omitempty"`
	Site       *routedSite  `json:"site,omitempty"`
	Status     int          `json:"status,omitempty"`
	Code       string       `json:"code,omitempty"`
	Message    string       `json:"message,omitempty"`
	RetryAfter int          `json:"retryAfter,omitempty"`
	Candidates []string     `json:"candidates,omitempty"`
}

type routedSite struct {
	httpapi.Ref
	Local       bool   `json:"local"`
	Status      string `json:"status,omitempty"`
	Reason      string `json:"reason,omitempty"`
	BreakerOpen bool   `json:"breakerOpen"`
}

func newSiteExplainRoute(to *connection, form *output) *cobra.Command {
	var auth, tenant string
	cmd := &cobra.Command{
		Use:   "explain-route",
		Short: "Say where a request would be fulfilled, and why, without sending it",
		Long: `Says which organization at which site would fulfil a request of whoever asks that
has these context headers, and by which row of the routing table. Nothing is sent.`,
		Example: `  causeway site explain-route --dev --org acme --auth-context acme-labs`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := form.check(); err != nil {
				return err
			}
			return to.with(cmd, func(ctx context.Context, c *apiclient.Client) error {
				var r routed
				path := httpapi.OwnAPI + "/explainRoute?" + query("authContext", auth, "tenantContext", tenant)
				if err := c.Do(ctx, http.MethodGet, path, nil, &r); err != nil {
					return err
				}
				return form.print(cmd.OutOrStdout(), r, func(out io.Writer) error { return writeRouted(out, r) })
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&auth, "auth-context", "", "value of X-VMWARE-VCLOUD-AUTH-CONTEXT: a name, or org@site")
	f.StringVar(&tenant, "tenant-context", "", "value of X-VMWARE-VCLOUD-TENANT-CONTEXT: an organization's identifier")
	return cmd
}

func writeRouted(out io.Writer, r routed) error {
	lines := []string{fmt.Sprintf("Row %s of the routing table: %s", r.Row, r.Meaning)}
	if r.Org != nil {
		where := "here"
		if r.Site != nil && !r.Site.Local {
			where = fmt.Sprintf("at the site %s (%s)", r.Site.Name, r.Site.Status)
		}
		lines = append(lines, fmt.Sprintf("Organization: %s, %s, location %s", r.Org.Name, where, r.LocationID))
		if r.Site != nil && r.Site.BreakerOpen {
			lines = append(lines, "Connections to that site have failed, so none is tried for a moment.")
		}
		if r.Site != nil && r.Site.Reason != "" {
			lines = append(lines, "The association says: "+r.Site.Reason)
		}
	}
	if r.Message != "" {
		lines = append(lines, fmt.Sprintf("The answer would be %d %s: %s", r.Status, r.Code, r.Message))
	}
	if len(r.Candidates) > 0 {
		lines = append(lines, "It could be: "+strings.Join(r.Candidates, ", "))
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(out, apiclient.Printable(line)); err != nil {
			return err
		}
	}
	return nil
}

// query writes pairs of names and values, leaving out what has no value.
func query(pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q.Encode()
}
