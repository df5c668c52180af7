// Command causeway is the gateway and its tools.
package main

import (
	"os"

	"causeway/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
