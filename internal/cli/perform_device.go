package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"causeway/internal/appflow"
	"causeway/internal/tokenfile"
)

func newDeviceFlow(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "device-flow",
		Short: "Get a service account's token: ask, show the user code, wait for the grant",
		Long: `Runs the device grant (RFC 8628) as the app would. It asks the site for access,
shows the user code and where an administrator types it, polls until somebody
grants or denies, and writes the refresh token to a file that VCD's SDKs read.
It keeps to the interval that the site asks for, and goes on after restarts of
the site and lost answers. Neither the token nor the device code is printed.

When access is granted, whatever token the account had before ends. An account's
token rotates at every use: renew it with ` + "`causeway perform refresh`" + ` or an SDK, not
with both at once.

Exit codes: 0 granted, and the token is in the file; 1 failed, 2 wrong command line, 3 denied, 4 not decided in
time, 130 interrupted.`,
		Example: `  causeway perform device-flow --url https://vcd.example.com --org ACME \
      --client-id 734e3845-1573-4f07-9b6c-b493c9042187 --token-file app.token
  causeway perform device-flow --dev --org acme --client-id … --token-file app.token
  causeway perform device-flow … -o json    # one JSON object per line, for scripts`,
		Args: noArgs,
	}
	d := &deviceFlow{app: a}
	cmd.Flags().BoolVar(&d.replace, "replace", false, "write over the token that the file holds")
	cmd.Flags().BoolVar(&d.noCheck, "no-check", false, "do not try the new token by an API call")
	format := cmd.Flags().StringP("output", "o", "text", "text, or json: one object per line")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		switch *format {
		case "text":
			d.show = newScreen(cmd.OutOrStdout(), a.org)
		case "json":
			d.show = &events{out: cmd.OutOrStdout(), now: time.Now}
		default:
			return usageError{errors.New("--output is text or json")}
		}
		return d.run(cmd.Context())
	}
	return cmd
}

// deviceFlow is one run of the command.
type deviceFlow struct {
	*app
	replace, noCheck bool
	show             display
}

// display tells people, or programs, how it goes.
type display interface {
	asked(appflow.Request)
	waiting(appflow.Progress) // also before asked, when the site is throttled
	granted(file string)
	checked(appflow.Who)
	warn(string)
	failed(code string, err error)
	stop() // no more is shown of the waiting
}

func (d *deviceFlow) run(ctx context.Context) error {
	client, err := d.client()
	if err != nil {
		return err
	}
	if d.clientID == "" {
		return usageError{errors.New("say which service account by --client-id")}
	}
	file, err := d.reserve(ctx)
	if err != nil {
		return err
	}
	if file != nil {
		defer file.Close()
	}
	tokens, err := d.grant(ctx, client)
	if err != nil {
		return d.fail(err)
	}
	if err := d.save(ctx, file, tokens); err != nil {
		return d.fail(fmt.Errorf("access was granted, and the token could not be written, so it is lost: run the command again\n%w", err))
	}
	d.show.granted(d.tokenFile)
	return d.check(ctx, client, tokens)
}

// reserve makes sure that a granted token can be written. It keeps the lock,
// unless the file holds a token: whoever uses that one must not be held up by a
// request that is perhaps never granted.
func (d *deviceFlow) reserve(ctx context.Context) (*tokenfile.File, error) {
	waiting, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	file, err := lockToken(waiting, d.tokenFile, d.show.warn)
	if err != nil {
		return nil, err
	}
	_, err = file.Token()
	switch {
	case errors.Is(err, tokenfile.ErrNoToken):
		if err = file.Try(); err == nil {
			return file, nil
		}
	case !d.replace:
		err = usageError{fmt.Errorf("%s is in use; --replace writes over it when access is granted", d.tokenFile)}
	default:
		err = file.Try()
	}
	return nil, errors.Join(err, file.Close())
}

func (d *deviceFlow) grant(ctx context.Context, client *appflow.Client) (appflow.Tokens, error) {
	defer d.show.stop()
	request, err := client.Ask(ctx, d.show.waiting)
	if err != nil {
		return appflow.Tokens{}, err
	}
	d.show.asked(request)
	tokens, err := client.Await(ctx, request, d.show.waiting)
	if err == nil && tokens.Refresh == "" {
		err = errors.New("the site granted access without a refresh token")
	}
	return tokens, err
}

// save waits for the file as long as it takes, and does not ask whether the
// command was interrupted: there is no second copy of the token, and the one in
// the file has ended. Only a second signal ends the wait.
func (d *deviceFlow) save(ctx context.Context, file *tokenfile.File, tokens appflow.Tokens) error {
	if file == nil {
		var err error
		file, err = lockToken(context.WithoutCancel(ctx), d.tokenFile, func(message string) {
			d.show.warn("access is granted, and " + message + "; the token is lost if this command is ended before")
		})
		if err != nil {
			return err
		}
		defer file.Close()
	}
	if warning := exposed(file, d.tokenFile); warning != "" {
		d.show.warn(warning)
	}
	return file.Save(tokenfile.Token{Type: tokenfile.ServiceAccount, Refresh: tokens.Refresh, UpdatedBy: userAgent(), UpdatedOn: time.Now()})
}

func (d *deviceFlow) check(ctx context.Context, client *appflow.Client, tokens appflow.Tokens) error {
	if d.noCheck {
		return nil
	}
	who, err := client.WhoAmI(ctx, tokens.Access)
	if err != nil {
		d.show.warn(fmt.Sprintf("the token is written, and a first call with it failed: %v", err))
		return nil
	}
	d.show.checked(who)
	return nil
}

// fail says what an error means here, with an exit code for scripts.
func (d *deviceFlow) fail(err error) error {
	code, exit := "failed", exitFailed
	switch {
	case errors.Is(err, context.Canceled):
		code, exit, err = "interrupted", exitInterrupted, errors.New("gave up waiting; the code ends by itself, and nothing was changed")
	case appflow.RefusedAs(err, "access_denied"):
		code, exit, err = "access_denied", exitDenied, errors.New("an administrator denied access; nothing was changed")
	case errors.Is(err, appflow.ErrExpired):
		code, exit, err = "expired_token", exitExpired, errors.New("nobody granted access in time; nothing was changed. Run the command again for a new code")
	case appflow.RefusedAs(err, "invalid_client"):
		code, err = "invalid_client", fmt.Errorf("organization %s has no service account with this client id, or it is disabled: check --org and --client-id\n%w", d.org, err)
	case appflow.RefusedAs(err, "invalid_grant"):
		code, err = "invalid_grant", fmt.Errorf("the request is void: another one was granted, or the account was revoked or deleted\n%w", err)
	}
	d.show.failed(code, err)
	return exitError{err, exit}
}
