package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"causeway/internal/apiclient"
	"causeway/internal/dev"
	"causeway/internal/secret"
)

// passwordEnv is where scripts put the password: arguments are in every list of
// processes.
const passwordEnv = "CAUSEWAY_PASSWORD"

// connection is how a command that speaks to a site is told which and as whom.
type connection struct {
	url, org, user, passwordFile, tokenFile, ca string
	dev, folder                                 string
}

// connectionFlags adds the flags to a command and those below it.
func connectionFlags(cmd *cobra.Command) *connection {
	c := &connection{}
	f := cmd.PersistentFlags()
	f.StringVar(&c.url, "url", "", "the site, https://host[:port]")
	f.StringVar(&c.org, "org", apiclient.System, "organization to log in to")
	f.StringVar(&c.user, "user", "", "who logs in; the password is asked for, or taken from "+passwordEnv)
	f.StringVar(&c.passwordFile, "password-file", "", "file with the password")
	f.StringVar(&c.tokenFile, "token-file", "", "file with a refresh token (JSON), instead of a user")
	f.StringVar(&c.ca, "ca", "", "file with the certificates to trust instead of the system's (PEM)")
	f.StringVar(&c.dev, "dev", "", "a site of a running causeway dev: west, or the one named")
	f.Lookup("dev").NoOptDefVal = "west"
	f.StringVar(&c.folder, "folder", "", "folder of causeway dev, for --dev")
	return c
}

// with opens the connection, runs do and ends the session.
func (c *connection) with(cmd *cobra.Command, do func(context.Context, *apiclient.Client) error) error {
	config, err := c.config(cmd)
	if err != nil {
		return err
	}
	client, err := apiclient.Open(cmd.Context(), config)
	if err != nil {
		return err
	}
	err = do(cmd.Context(), client)
	if ended := client.Close(); err == nil && ended != nil {
		err = fmt.Errorf("the session was not ended: %w", ended)
	}
	return err
}

func (c *connection) config(cmd *cobra.Command) (apiclient.Config, error) {
	if c.dev != "" {
		return c.devConfig()
	}
	config := apiclient.Config{URL: c.url, CAFile: c.ca, Org: c.org, User: c.user}
	switch {
	case c.url == "":
		return config, usageError{errors.New("say which site by --url, or --dev for a running causeway dev")}
	case c.user == "" && c.tokenFile == "":
		return config, usageError{errors.New("say who asks by --user or --token-file")}
	case c.user != "" && c.tokenFile != "":
		return config, usageError{errors.New("--user and --token-file are two who ask; give one")}
	case c.tokenFile != "":
		config.Token = apiclient.TokenFile(c.tokenFile)
		return config, nil
	}
	var err error
	config.Password, err = c.password(cmd)
	return config, err
}

// devConfig logs in as the administrator of the organization that --org names.
func (c *connection) devConfig() (apiclient.Config, error) {
	f, err := dev.Find(c.folder)
	if err != nil {
		return apiclient.Config{}, err
	}
	site := f.Site(c.dev)
	if site == nil {
		return apiclient.Config{}, usageError{fmt.Errorf("there is no site %q: %w", c.dev, dev.ErrNoSuchSite)}
	}
	admin := site.Admin
	if !strings.EqualFold(c.org, apiclient.System) {
		org := site.Org(c.org)
		if org == nil {
			return apiclient.Config{}, usageError{fmt.Errorf("causeway dev has no organization %q at %s", c.org, site.Name)}
		}
		admin = org.Admin
	}
	return apiclient.Config{URL: site.API, CAFile: f.CA, Org: c.org, User: admin.User, Password: secret.Text(admin.Password)}, nil
}

// password is from the file, the environment, or whoever sits at the terminal.
func (c *connection) password(cmd *cobra.Command) (secret.Text, error) {
	if c.passwordFile != "" {
		return readPassword(c.passwordFile)
	}
	if given := os.Getenv(passwordEnv); given != "" {
		return secret.Text(given), nil
	}
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", usageError{errors.New("there is no terminal to ask for the password: use --password-file or " + passwordEnv)}
	}
	return ask(cmd.ErrOrStderr(), fmt.Sprintf("Password of %s in %s: ", c.user, c.org), func() ([]byte, error) { return term.ReadPassword(int(in.Fd())) })
}

// ask reads a password that nobody sees.
func ask(out io.Writer, prompt string, read func() ([]byte, error)) (secret.Text, error) {
	fmt.Fprint(out, prompt)
	typed, err := read()
	fmt.Fprintln(out)
	if err == nil && len(typed) == 0 {
		err = errors.New("no password was given")
	}
	return secret.Text(typed), err
}
