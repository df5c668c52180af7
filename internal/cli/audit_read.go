package cli

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"causeway/internal/apiclient"
	"causeway/internal/httpapi"
	"causeway/internal/journal"
	"causeway/internal/trail"
)

const trailPath = httpapi.OwnAPI + "/auditTrail"

// trailPart is what the API shows of the trail at once.
type trailPart struct {
	Values []trail.Record `json:"values"`
	Next   int64          `json:"next"`
	More   bool           `json:"more"`
	Head   *journal.Head  `json:"head"`
}

// trailFilter is what is looked for, by flags.
type trailFilter struct{ organization, actor, subject, action, request, from, until string }

func (t *trailFilter) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&t.organization, "organization", "", "only what was done in it, by name; for the provider")
	f.StringVar(&t.actor, "actor", "", "who did it: an identifier, or a part of the name")
	f.StringVar(&t.subject, "subject", "", "what was changed: an identifier, or a part of the name")
	f.StringVar(&t.action, "action", "", "what was done, as role.updated")
	f.StringVar(&t.request, "request-id", "", "the request that did it")
	f.StringVar(&t.from, "from", "", "not before, as 2026-01-02T15:04:05Z or 2026-01-02, in UTC")
	f.StringVar(&t.until, "until", "", "before")
}

// query is the filter as the API takes it.
func (t *trailFilter) query() (url.Values, error) {
	q := url.Values{}
	for name, value := range map[string]string{
		"org": t.organization, "actor": t.actor, "subject": t.subject, "action": t.action, "requestId": strings.Trim(t.request, "[] "),
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if t.action != "" && !slices.Contains(journal.Actions(), journal.Action(t.action)) {
		return nil, usageError{fmt.Errorf("there is no action %q; audit list shows those that happen", t.action)}
	}
	for name, value := range map[string]string{"from": t.from, "until": t.until} {
		at, err := readMoment(value)
		if err != nil {
			return nil, usageError{fmt.Errorf("--%s: %w", name, err)}
		}
		if !at.IsZero() {
			q.Set(name, at.Format(time.RFC3339Nano))
		}
	}
	return q, nil
}

// readMoment reads a time in UTC, the zero one of nothing.
func readMoment(given string) (time.Time, error) {
	if given == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if at, err := time.Parse(form, given); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time as 2026-01-02T15:04:05Z or 2026-01-02", given)
}

// readTrail asks for one part. from is where to begin, and order whether what comes
// after it or before it is meant.
func readTrail(ctx context.Context, c *apiclient.Client, q url.Values, order string, from int64, most int) (part trailPart, err error) {
	q = maps.Clone(q)
	q.Set(order, strconv.FormatInt(from, 10))
	q.Set("pageSize", strconv.Itoa(most))
	err = c.Do(ctx, http.MethodGet, trailPath+"?"+q.Encode(), nil, &part)
	return part, err
}

func newAuditList() *cobra.Command {
	var filter trailFilter
	var most int
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Show the latest changes, the newest first",
		Long: `Shows what was changed, by whom and by which request, the newest first. The
organization of the session is looked at; the provider's own shows all of them.`,
		Example: `  causeway audit list --dev
  causeway audit list --url https://west.example --user administrator --subject urn:vcloud:user:0b1c…
  causeway audit list --dev --org acme --action role.updated --from 2026-01-01`,
		Args: noArgs,
	}
	to, form := connectionFlags(cmd), outputFlag(cmd, "table")
	filter.flags(cmd)
	cmd.Flags().IntVar(&most, "limit", 50, "how many, at most")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		q, err := filter.query()
		if err != nil {
			return err
		}
		if most < 1 {
			return usageError{fmt.Errorf("--limit is 1 or more")}
		}
		return listed(cmd, to, form, writeTrail, func(ctx context.Context, c *apiclient.Client) ([]trail.Record, error) {
			list := []trail.Record{}
			for before := int64(0); len(list) < most; {
				part, err := readTrail(ctx, c, q, "before", before, min(most-len(list), 1000))
				if err != nil {
					return nil, err
				}
				list = append(list, part.Values...)
				if before = part.Next; !part.More {
					break
				}
			}
			return list, nil
		})
	}
	return cmd
}
