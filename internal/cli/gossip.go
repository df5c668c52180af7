package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"causeway/federation/gossip"
)

func newGossip() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "gossip",
		Short: "Make and compare the keys of the gossip pools",
		Long: `Makes and compares the keys of the pools of sites (gossip.key_file) and of a
site's cells (cells.key_file). All members of a pool have the same file.

To change a key without a gap, take the same step at every member before the next,
each time followed by SIGHUP:

  1. causeway gossip keygen >> gossip.key   the new key decrypts
  2. move the new line to the top           the new key encrypts
  3. remove the old line                    the old key opens nothing any more

causeway gossip fingerprints, and causeway_gossip_key_info among the metrics, show
who is how far. Leave days between steps 2 and 3: who missed step 1 is outside then,
and comes back when its file is right.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "keygen",
		Short: "Print a new key, a line for a key file",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), gossip.NewKey())
			return err
		},
	}, newFingerprints())
	return cmd
}

func newFingerprints() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fingerprints FILE",
		Short: "Name the keys of a key file without telling them, the one that encrypts first",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{errors.New("gossip fingerprints takes one key file")}
			}
			return nil
		},
	}
	form := outputFlag(cmd, "table")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := form.check(); err != nil {
			return err
		}
		text, err := os.ReadFile(args[0])
		if err != nil {
			return err
		}
		keys, err := gossip.ParseKeys(text)
		if err != nil {
			return fmt.Errorf("%s: %w", args[0], err)
		}
		return printFingerprints(cmd.OutOrStdout(), form, keys)
	}
	return cmd
}

// gossipKey is a key as it is shown.
type gossipKey struct {
	Fingerprint string `json:"fingerprint"`
	Primary     bool   `json:"primary"`
}

func printFingerprints(out io.Writer, form *output, keys [][]byte) error {
	var shown []gossipKey
	var rows [][]string
	for i, k := range keys {
		shown = append(shown, gossipKey{gossip.Fingerprint(k), i == 0})
		use := "decrypts"
		if i == 0 {
			use = "encrypts"
		}
		rows = append(rows, []string{gossip.Fingerprint(k), use})
	}
	return form.print(out, shown, func(out io.Writer) error { return table(out, []string{"FINGERPRINT", "USE"}, rows) })
}
