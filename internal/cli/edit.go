package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"causeway/internal/apiclient"
)

// group is a command that only holds others.
func group(use, short, long, example string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Long: long, Example: example, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
}

// editing has a command change the members whose flags were given.
func (r *resources) editing(cmd *cobra.Command, values map[string]*string, flags map[string]string) *cobra.Command {
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		changes := map[string]any{}
		for member, flag := range flags {
			if cmd.Flags().Changed(flag) {
				changes[member] = *values[member]
			}
		}
		if len(changes) == 0 {
			return usageError{errors.New("say what to change; " + cmd.CommandPath() + " --help lists the flags")}
		}
		return r.show(cmd, func(ctx context.Context, c *apiclient.Client) ([]object, error) {
			o, err := r.find(ctx, c, args[0])
			if err != nil {
				return nil, err
			}
			if o, err = r.put(ctx, c, o, changes); err != nil {
				return nil, err
			}
			return []object{o}, nil
		})
	}
	return cmd
}
