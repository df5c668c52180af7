package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

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
	place
	user, passwordFile string
	session            bool // of the profile
}

// connectionFlags adds the flags to a command and those below it.
func connectionFlags(cmd *cobra.Command) *connection {
	c := &connection{}
	c.flags(cmd, apiclient.System, "organization to log in to", "file with a refresh token (JSON), instead of a user")
	f := cmd.PersistentFlags()
	f.StringVar(&c.user, "user", "", "who logs in; the password is asked for, or taken from "+passwordEnv)
	f.StringVar(&c.passwordFile, "password-file", "", "file with the password")
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
	if c.session && apiclient.Refused(err, http.StatusUnauthorized) {
		err = overText(c.kept.name)
	}
	if ended := client.Close(); err == nil && ended != nil {
		err = fmt.Errorf("the session was not ended: %w", ended)
	}
	return err
}

func (c *connection) config(cmd *cobra.Command) (apiclient.Config, error) {
	site, err := c.resolve(flagValue{"--user", c.user}, flagValue{"--password-file", c.passwordFile}, flagValue{"--token-file", c.tokenFile})
	kept := ""
	if err == nil && c.kept != nil {
		kept, err = c.recall()
		c.session = kept != ""
	}
	config := apiclient.Config{URL: c.url, CAFile: c.ca, Org: c.org, User: c.user}
	switch {
	case err != nil:
	case c.session:
		config.User, config.Access = c.kept.User, secret.Text(kept)
	case site != nil:
		var admin dev.Login
		admin, err = administrator(site, c.org)
		config.User, config.Password = admin.User, secret.Text(admin.Password)
	case c.user == "" && c.tokenFile == "":
		err = usageError{errors.New("say who asks by --user or --token-file")}
	case c.user != "" && c.tokenFile != "":
		err = usageError{errors.New("--user and --token-file are two who ask; give one")}
	case c.tokenFile != "":
		config.Access, err = c.access(cmd)
	default:
		config.Password, err = c.password(cmd)
	}
	return config, err
}

// access exchanges the file's token.
func (c *connection) access(cmd *cobra.Command) (secret.Text, error) {
	client, err := c.speaker("")
	if err != nil {
		return "", err
	}
	tokens, err := renew(cmd.Context(), client, c.tokenFile, warnTo(cmd))
	if err != nil {
		return "", fmt.Errorf("exchange the token of %s: %w", c.tokenFile, err)
	}
	return tokens.Access, nil
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
