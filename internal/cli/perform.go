package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"causeway/internal/apiclient"
	"causeway/internal/appflow"
	"causeway/internal/version"
)

func newPerform() *cobra.Command {
	cmd := &cobra.Command{Use: "perform", Short: "Do what an app does: get a token by the device grant, renew it", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	a := &app{}
	a.flags(cmd, "", "organization of the service account; System is the provider's", "file of the refresh token, as VCD's SDKs keep it (JSON)")
	cmd.PersistentFlags().StringVar(&a.clientID, "client-id", "", "client id (UUID) of the service account")
	cmd.AddCommand(newDeviceFlow(a), newRefresh(a))
	return cmd
}

// app is how a command is told which app it plays, and where.
type app struct {
	place
	clientID string
}

func userAgent() string { return "causeway/" + version.Get().Version }

// client makes what speaks for the app.
func (a *app) client() (*appflow.Client, error) {
	if _, err := a.resolve(); err != nil {
		return nil, err
	}
	switch {
	case a.org == "":
		return nil, usageError{errors.New("say which organization by --org")}
	case a.tokenFile == "":
		return nil, usageError{errors.New("say where the token is kept by --token-file")}
	}
	return a.speaker(a.clientID)
}

// speaker makes what speaks to the token endpoint of the place.
func (p *place) speaker(clientID string) (*appflow.Client, error) {
	endpoints, err := appflow.VCD(p.url, p.org)
	if err != nil {
		return nil, usageError{err}
	}
	http, err := apiclient.HTTP(p.ca)
	if err != nil {
		return nil, usageError{err}
	}
	return &appflow.Client{Endpoints: endpoints, HTTP: http, ID: clientID, UserAgent: userAgent()}, nil
}
