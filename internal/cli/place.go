package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"causeway/internal/apiclient"
	"causeway/internal/dev"
)

// place is how a command is told which site it speaks to, and for which
// organization.
type place struct {
	url, org, tokenFile, ca string
	dev, folder             string

	profile string
	kept    *remembered    // the profile, where it says which site
	set     *pflag.FlagSet // knows which flags were given
}

func (p *place) flags(cmd *cobra.Command, org, orgUsage, tokenUsage string) {
	f := cmd.PersistentFlags()
	p.set = f
	f.StringVar(&p.profile, "profile", "", "site, organization and login that causeway login keeps by this name, instead of the current ones or "+profileEnv)
	_ = cmd.RegisterFlagCompletionFunc("profile", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return profileNames(), cobra.ShellCompDirectiveNoFileComp
	})
	f.StringVar(&p.url, "url", "", "the site, https://host[:port]")
	f.StringVar(&p.org, "org", org, orgUsage)
	f.StringVar(&p.tokenFile, "token-file", "", tokenUsage)
	f.StringVar(&p.ca, "ca", "", "file with the certificates to trust instead of the system's (PEM)")
	f.StringVar(&p.dev, "dev", "", "a site of a running causeway dev, west or the one named, instead of --url and --ca")
	f.Lookup("dev").NoOptDefVal = "west"
	f.StringVar(&p.folder, "folder", "", "folder of causeway dev, for --dev")
}

// resolve finds the site of --dev, which is nil without it. others are flags
// that --dev stands for, too: who gives both would be asked for as somebody else
// than they said, or somewhere else.
func (p *place) resolve(others ...flagValue) (*dev.SiteFile, error) {
	if p.dev == "" {
		if p.url == "" {
			return nil, p.remember()
		}
		if p.profile != "" {
			return nil, usageError{errors.New("--profile and --url are two sites; give one")}
		}
		return nil, nil
	}
	for _, other := range append([]flagValue{{"--profile", p.profile}, {"--url", p.url}, {"--ca", p.ca}}, others...) {
		if other.value != "" {
			return nil, usageError{fmt.Errorf("--dev and %s exclude each other; give one", other.name)}
		}
	}
	f, err := dev.Find(p.folder)
	if err != nil {
		return nil, err
	}
	site := f.Site(p.dev)
	if site == nil {
		return nil, usageError{fmt.Errorf("there is no site %q: %w", p.dev, dev.ErrNoSuchSite)}
	}
	p.url, p.ca = site.API, f.CA
	return site, nil
}

type flagValue struct{ name, value string }

// administrator is who asks with --dev: that of the organization --org names.
func administrator(site *dev.SiteFile, org string) (dev.Login, error) {
	if strings.EqualFold(org, apiclient.System) {
		return site.Admin, nil
	}
	if found := site.Org(org); found != nil {
		return found.Admin, nil
	}
	return dev.Login{}, usageError{fmt.Errorf("causeway dev has no organization %q at %s", org, site.Name)}
}
