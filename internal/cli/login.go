package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"causeway/internal/apiclient"
	"causeway/internal/profile"
)

// profileEnv names the profile where no flag does.
const profileEnv = "CAUSEWAY_PROFILE"

func newLogin() *cobra.Command {
	cmd := &cobra.Command{
		Use: "login [PROFILE]", Short: "Log in to a site, and remember it under a name",
		Long: `Logs in and keeps site, organization and user as a profile, which later commands use
without further flags; the last one logged in to is the current one. A profile that
exists is logged in to again with what it holds, as far as no flag says otherwise.

The password is never kept. The session's access token is, in a file that only you
can read: it ends at logout, after half an hour without a command, and after a day at
the latest. With --token-file there is no session to keep: each command exchanges the
file's refresh token, also one that rotates.`,
		Example: `  causeway login west --url https://west.example.com --org acme --user jane
  causeway org list
  causeway login west            # again, when the session is over
  causeway login ci --url https://west.example.com --org acme --token-file ci.token`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{errors.New("login takes one name of a profile")}
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return profileNames(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	to := connectionFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		store, set, err := profile.Read()
		if err != nil {
			return err
		}
		named := cmp.Or(append(args, to.profile, set.Current, "default")...)
		to.profile = "" // it names what is made
		if err := profile.CheckName(named); err != nil {
			return usageError{err}
		}
		if p, there := set.Profiles[named]; there && len(args) == 0 && to.url != "" && to.url != p.URL {
			return usageError{fmt.Errorf("profile %s is of %s: give another name for %s", named, p.URL, to.url)}
		}
		to.again(set.Profiles[named])
		return to.login(cmd, store, named)
	}
	return cmd
}

// again takes from a profile what no flag says. Whoever names another site says it all.
func (c *connection) again(p profile.Profile) {
	if c.url != "" && c.url != p.URL || c.dev != "" {
		return
	}
	c.url = p.URL
	if c.ca == "" {
		c.ca = p.CA
	}
	if !c.given("org") && p.Org != "" {
		c.org = p.Org
	}
	if c.user == "" && c.tokenFile == "" {
		c.user, c.tokenFile = p.User, p.TokenFile
	}
}

func (c *connection) login(cmd *cobra.Command, store profile.Store, named string) error {
	if c.url == "" && c.dev == "" {
		return usageError{fmt.Errorf("there is no profile %s yet: say which site by --url, and who logs in by --user or --token-file", named)}
	}
	config, err := c.config(cmd)
	if err != nil {
		return err
	}
	client, err := apiclient.Open(cmd.Context(), config)
	if err != nil {
		return err
	}
	p := profile.Profile{URL: client.Base(), Org: client.Org(), User: config.User, CA: config.CAFile, TokenFile: c.tokenFile}
	for _, file := range []*string{&p.CA, &p.TokenFile} {
		if *file != "" && err == nil {
			*file, err = filepath.Abs(*file)
		}
	}
	if err == nil {
		err = store.Change(func(set *profile.Set) error {
			set.Profiles[named], set.Current = p, named
			if p.TokenFile != "" {
				return store.ForgetSession(named)
			}
			return store.KeepSession(named, client.Access())
		})
	}
	if err != nil {
		return errors.Join(err, client.Close())
	}
	client.Keep()
	who := p.User
	if who == "" {
		who = "the token in " + p.TokenFile
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "Profile %s: %s of %s at %s. It is the current one.\n", named, who, p.Org, p.URL)
	return errors.Join(err, client.Close())
}

func newLogout() *cobra.Command {
	cmd := &cobra.Command{
		Use: "logout", Short: "End the session of a profile; the profile stays",
		Long: "Ends the session of the current profile, or of the one that --profile names, at the\nsite and on this machine. The profile stays for the next login.",
		Args: noArgs,
	}
	named := cmd.Flags().String("profile", "", "profile to log out of, instead of the current one")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		store, name, p, err := chosen(*named)
		if err != nil {
			return err
		}
		access, err := store.Session(name, now())
		if errors.Is(err, profile.ErrNoSession) {
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "Nobody is logged in with profile %s.\n", name)
			return errors.Join(err, store.ForgetSession(name))
		}
		if err == nil {
			err = endSession(cmd.Context(), apiclient.Config{URL: p.URL, CAFile: p.CA, Org: p.Org, Access: access})
		}
		// Here it is forgotten whatever the site said.
		if err := errors.Join(err, store.ForgetSession(name)); err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "Logged out of profile %s.\n", name)
		return err
	}
	return cmd
}

func endSession(ctx context.Context, c apiclient.Config) error {
	client, err := apiclient.Open(ctx, c)
	if err != nil {
		return err
	}
	return client.End()
}

func newProfile() *cobra.Command {
	cmd := group("profile", "Manage what login remembered", "Lists and removes profiles, and chooses the current one. "+profileEnv+" and --profile name\nanother one for a command.",
		"  causeway profile list\n  causeway profile use west\n  causeway org list --profile east")
	form := outputFlag(cmd, "table")
	list := func(use, short string, args cobra.PositionalArgs) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Args: args, RunE: func(cmd *cobra.Command, args []string) error { return showProfiles(cmd, form, args) }}
	}
	one := oneArg("say which profile; profile list shows them")
	change := func(use, short string, f func(profile.Store, *profile.Set, string) error) *cobra.Command {
		return &cobra.Command{Use: use + " PROFILE", Short: short, Args: one, RunE: func(_ *cobra.Command, args []string) error {
			store, err := profile.Open()
			if err != nil {
				return err
			}
			return store.Change(func(set *profile.Set) error {
				if _, ok := set.Profiles[args[0]]; !ok {
					return noProfile(args[0])
				}
				return f(store, set, args[0])
			})
		}}
	}
	commands := []*cobra.Command{
		list("list", "List profiles", noArgs), list("show PROFILE", "Show one profile", one),
		change("use", "Make a profile the current one", func(_ profile.Store, set *profile.Set, name string) error {
			set.Current = name
			return nil
		}),
		change("remove", "Forget a profile and its session; logout ends the session at the site, too", func(store profile.Store, set *profile.Set, name string) error {
			delete(set.Profiles, name)
			if set.Current == name {
				set.Current = ""
			}
			return store.ForgetSession(name)
		}),
	}
	for _, c := range commands[1:] {
		c.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return profileNames(), cobra.ShellCompDirectiveNoFileComp
		}
	}
	cmd.AddCommand(commands...)
	return cmd
}

func noProfile(name string) error {
	return exitError{fmt.Errorf("there is no profile %q; profile list shows them, login makes one", name), exitNothing}
}

// shownProfile is a profile as it is printed.
type shownProfile struct {
	Name    string `json:"name"`
	Current bool   `json:"current"`
	profile.Profile
	LoggedIn bool `json:"loggedIn"`
}

func showProfiles(cmd *cobra.Command, form *output, only []string) error {
	if err := form.check(); err != nil {
		return err
	}
	store, set, err := profile.Read()
	if err != nil {
		return err
	}
	names := set.Names()
	if len(only) > 0 {
		if _, ok := set.Profiles[only[0]]; !ok {
			return noProfile(only[0])
		}
		names = only
	}
	shown := []shownProfile{}
	var rows [][]string
	for _, n := range names {
		p := set.Profiles[n]
		_, err := store.Session(n, now())
		s := shownProfile{n, n == set.Current, p, err == nil || p.TokenFile != ""}
		shown = append(shown, s)
		who := p.User
		if p.TokenFile != "" {
			who = p.TokenFile
		}
		rows = append(rows, printable(map[bool]string{true: "*"}[s.Current], n, p.URL, p.Org, who, map[bool]string{true: "yes", false: "no"}[s.LoggedIn]))
	}
	return form.print(cmd.OutOrStdout(), shown, func(out io.Writer) error {
		return table(out, []string{"", "PROFILE", "SITE", "ORGANIZATION", "AS", "LOGGED IN"}, rows)
	})
}

// profileNames complete a profile's name.
func profileNames() []string {
	_, set, err := profile.Read()
	if err != nil {
		return nil
	}
	return set.Names()
}

// overText is what to do when a session is over.
func overText(name string) error {
	return exitError{fmt.Errorf("the session of profile %s is over, or there is none: causeway login %s", name, name), exitLogin}
}
