// Command supply answers for what Causeway is made of, from the module cache and
// without a network:
//
//	supply check                     licences are allowed and listed, versions are new enough
//	supply licences > docs/licences.md
//	supply texts > THIRD-PARTY.txt   what has to go with a binary
//	supply sbom BINARY VERSION       CycloneDX, from what the linker wrote into the binary
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

const usage = "usage: supply check | licences | texts | sbom BINARY VERSION"

// list is the file that `supply licences` writes.
const list = "docs/licences.md"

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "supply:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	switch {
	case len(args) == 1 && args[0] == "check":
		return check(out)
	case len(args) == 1 && args[0] == "licences":
		used, err := load()
		if err != nil {
			return err
		}
		return writeList(out, used)
	case len(args) == 1 && args[0] == "texts":
		used, err := load()
		if err != nil {
			return err
		}
		return writeTexts(out, used)
	case len(args) == 3 && args[0] == "sbom":
		used, err := load()
		if err != nil {
			return err
		}
		return writeSBOM(out, args[1], args[2], used)
	}
	return errors.New(usage)
}

// check reports every fault at once.
func check(out io.Writer) error {
	used, err := load()
	if err != nil {
		return err
	}
	faults := refused(used)
	old, err := outdated()
	if err != nil {
		return err
	}
	faults = append(faults, old...)
	var now bytes.Buffer
	if err := writeList(&now, used); err != nil {
		return err
	}
	if kept, err := os.ReadFile(list); err != nil || !bytes.Equal(kept, now.Bytes()) {
		faults = append(faults, list+" is not current: go run ./internal/tools/supply licences > "+list)
	}
	for _, fault := range faults {
		fmt.Fprintln(out, fault)
	}
	if len(faults) > 0 {
		return fmt.Errorf("%d faults", len(faults))
	}
	fmt.Fprintf(out, "%d modules: licences allowed and listed, no version below its minimum\n", len(used))
	return nil
}
