package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"causeway/internal/apiclient"
	"causeway/internal/atomicfile"
	"causeway/internal/httpapi"
)

// The media types of association data, as VCD names them.
const (
	siteData = "application/vnd.vmware.admin.siteAssociation+xml"
	orgData  = "application/vnd.vmware.admin.organizationAssociation+xml"
)

func newSite() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "site",
		Short: "Associate a site and its organizations with others",
		Long: `Associates a site, or an organization with --org, with another one, and shows how
the two get on.

An association has two halves. At each site: export the data, carry the file to
the other site, compare the fingerprint by voice with those who sent it, and give
it to associate there. Sites come first, their organizations after them; the
provider's organizations, System, are associated like others. Within seconds of
the second half both sides say ACTIVE.

A command is about the organization that --org names, and about the site where
nothing or System is named. --organization makes it about the provider's
organization.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	to, form := connectionFlags(cmd), outputFlag(cmd, "table")
	cmd.AddCommand(newSiteExport(to), newSiteAssociate(to, form), newSiteStatus(to, form), newSiteDissociate(to), newSiteExplainRoute(to, form), newSiteKeys(to, form))
	return cmd
}

// subject is what association data is of: the site, or the organization of the
// session.
type subject struct {
	path string // of its associations below /api
	kind string // media type
	own  string // our API's list of its associations
	data string // our API's word on the subject itself
}

// about is the organization of the session, or the site where the provider does not
// say otherwise.
func about(ctx context.Context, c *apiclient.Client, organization bool) (subject, error) {
	if !organization && strings.EqualFold(c.Org(), apiclient.System) {
		return subject{"/api/site/associations", siteData, httpapi.OwnAPI + "/siteAssociations", httpapi.OwnAPI + "/site"}, nil
	}
	var session struct {
		Org struct{ ID string }
	}
	if err := c.Do(ctx, http.MethodGet, "/cloudapi/1.0.0/sessions/current", nil, &session); err != nil {
		return subject{}, err
	}
	id := session.Org.ID[strings.LastIndexByte(session.Org.ID, ':')+1:]
	own := httpapi.OwnAPI + "/organizations/" + session.Org.ID
	return subject{"/api/admin/org/" + id + "/associations", orgData, own + "/associations", own + "/associationData"}, nil
}

func organizationFlag(cmd *cobra.Command) *bool {
	return cmd.Flags().Bool("organization", false, "about the organization also if that is System")
}

func newSiteExport(to *connection) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export FILE",
		Short: "Write the data that the other side needs; - writes to the terminal",
		Args:  oneArg("site export takes the file to write, or -"),
	}
	organization := organizationFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return to.with(cmd, func(ctx context.Context, c *apiclient.Client) error {
			of, err := about(ctx, c, *organization)
			if err != nil {
				return err
			}
			body, err := c.Get(ctx, of.path+"/localAssociationData", "application/*+xml")
			if err != nil {
				return err
			}
			var self struct{ Fingerprint string }
			if err := c.Do(ctx, http.MethodGet, of.data, nil, &self); err != nil {
				return err
			}
			if args[0] == "-" {
				if _, err := cmd.OutOrStdout().Write(body); err != nil {
					return err
				}
			} else if err := atomicfile.Write(args[0], body, 0o644); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.ErrOrStderr(), "\nFingerprint of the key in it, to compare by voice:\n  %s\n", apiclient.Printable(self.Fingerprint))
			return err
		})
	}
	return cmd
}

func newSiteAssociate(to *connection, form *output) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "associate FILE",
		Short: "Take in the data of the other side; - reads it from standard input",
		Long: `Takes in the data that site export wrote at the other side, and shows the
fingerprint of the key in it: compare it with those who sent it before you trust
what comes from there.`,
		Args: oneArg("site associate takes the file that site export wrote at the other side, or -"),
	}
	organization := organizationFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		body, err := readFileOr(cmd.InOrStdin(), args[0])
		if err != nil {
			return err
		}
		return listed(cmd, to, form, writeLinks, func(ctx context.Context, c *apiclient.Client) ([]link, error) {
			of, err := about(ctx, c, *organization)
			if err != nil {
				return nil, err
			}
			if err := c.Post(ctx, of.path, of.kind, body); err != nil {
				return nil, err
			}
			return apiclient.All[link](ctx, c, of.own)
		})
	}
	return cmd
}

// maxData bounds association data, in bytes: a real one has a few kilobytes.
const maxData = 1 << 20

func readFileOr(in io.Reader, name string) ([]byte, error) {
	if name != "-" {
		f, err := os.Open(filepath.Clean(name))
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	body, err := io.ReadAll(io.LimitReader(in, maxData+1))
	if err == nil && len(body) > maxData {
		err = errors.New("the file is too long for association data")
	}
	return body, err
}

func newSiteStatus(to *connection, form *output) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "List the associations: status, since when and why, last contact, fingerprint",
		Args:  noArgs,
	}
	organization := organizationFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return listed(cmd, to, form, writeLinks, func(ctx context.Context, c *apiclient.Client) ([]link, error) {
			of, err := about(ctx, c, *organization)
			if err != nil {
				return nil, err
			}
			return apiclient.All[link](ctx, c, of.own)
		})
	}
	return cmd
}

func newSiteDissociate(to *connection) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dissociate ID",
		Short: "End an association; site status shows the identifiers",
		Long: `Ends an association at this side, at once: nothing crosses any more in either
direction. The other side notices within seconds and says ASYMMETRIC until it ends
its half. Organizations come first; --force ends theirs together with a site's.`,
		Args: oneArg("site dissociate takes the identifier of a site, or of an organization as org@site"),
	}
	organization := organizationFlag(cmd)
	force := cmd.Flags().Bool("force", false, "also end what organizations hold with organizations of the site")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return to.with(cmd, func(ctx context.Context, c *apiclient.Client) error {
			of, err := about(ctx, c, *organization)
			if err != nil {
				return err
			}
			path := of.own + "/" + url.PathEscape(args[0])
			if *force {
				path += "?force=true"
			}
			return c.Do(ctx, http.MethodDelete, path, nil, nil)
		})
	}
	return cmd
}
