package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"causeway/internal/apiclient"
	"causeway/internal/appflow"
	"causeway/internal/dev"
	"causeway/internal/tokenfile"
	"causeway/internal/version"
)

func newPerform() *cobra.Command {
	cmd := &cobra.Command{Use: "perform", Short: "Do what an app does: get a token by the device grant, renew it", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	a := &app{}
	f := cmd.PersistentFlags()
	f.StringVar(&a.url, "url", "", "the site, https://host[:port]")
	f.StringVar(&a.org, "org", "", "organization of the service account; System is the provider's")
	f.StringVar(&a.clientID, "client-id", "", "client id (UUID) of the service account")
	f.StringVar(&a.tokenFile, "token-file", "", "file of the refresh token, as VCD's SDKs keep it (JSON)")
	f.StringVar(&a.ca, "ca", "", "file with the certificates to trust instead of the system's (PEM)")
	f.StringVar(&a.dev, "dev", "", "a site of a running causeway dev: west, or the one named; gives --url and --ca")
	f.Lookup("dev").NoOptDefVal = "west"
	f.StringVar(&a.folder, "folder", "", "folder of causeway dev, for --dev")
	cmd.AddCommand(newDeviceFlow(a), newRefresh(a))
	return cmd
}

// app is how a command is told which app it plays, and where.
type app struct {
	url, org, clientID, tokenFile, ca string
	dev, folder                       string
}

func userAgent() string { return "causeway/" + version.Get().Version }

// client makes what speaks for the app.
func (a *app) client() (*appflow.Client, error) {
	if a.dev != "" {
		if err := a.useDev(); err != nil {
			return nil, err
		}
	}
	switch {
	case a.url == "":
		return nil, usageError{errors.New("say which site by --url, or --dev for a running causeway dev")}
	case a.org == "":
		return nil, usageError{errors.New("say which organization by --org")}
	case a.tokenFile == "":
		return nil, usageError{errors.New("say where the token is kept by --token-file")}
	}
	endpoints, err := appflow.VCD(a.url, a.org)
	if err != nil {
		return nil, usageError{err}
	}
	http, err := apiclient.HTTP(a.ca)
	if err != nil {
		return nil, usageError{err}
	}
	return &appflow.Client{Endpoints: endpoints, HTTP: http, ID: a.clientID, UserAgent: userAgent()}, nil
}

func (a *app) useDev() error {
	f, err := dev.Find(a.folder)
	if err != nil {
		return err
	}
	site := f.Site(a.dev)
	if site == nil {
		return usageError{fmt.Errorf("there is no site %q: %w", a.dev, dev.ErrNoSuchSite)}
	}
	a.url, a.ca = site.API, f.CA
	return nil
}

// lockWait is how long another process may hold the token file: longer than a
// refresh with all its tries takes.
const lockWait = 2 * time.Minute

func (a *app) open(ctx context.Context) (*tokenfile.File, error) {
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	return tokenfile.Open(ctx, a.tokenFile)
}

// exposed is what to say of a file that others can read, or "".
func (a *app) exposed(f *tokenfile.File) string {
	if !f.Exposed() {
		return ""
	}
	return fmt.Sprintf("others on this machine can read the token in %s: chmod 600 %s", a.tokenFile, a.tokenFile)
}
