// Package testjson reads the stream that `go test -json` writes (go doc
// test2json). It judges nothing: skipcheck and requirements do.
package testjson

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// What an Event reports. A Package event without Test is about the package.
const (
	Run         = "run"
	Output      = "output"
	Pass        = "pass"
	Fail        = "fail"
	Skip        = "skip" // of a package: it has no test files
	BuildOutput = "build-output"
	Attr        = "attr" // Key and Value are what a test says of itself
)

// Event is one line of the stream.
type Event struct {
	Action  string
	Package string
	Test    string
	Output  string
	Key     string
	Value   string
}

// Read calls each for every event of r until it ends. A line that is not JSON
// (the go command's own messages) is an Output event of no package.
func Read(r io.Reader, each func(Event)) error {
	lines := bufio.NewReader(r) // not a Scanner: a test may log a line of any length
	for {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			each(parse(line))
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func parse(line []byte) Event {
	var e Event
	if json.Unmarshal(line, &e) != nil {
		return Event{Action: Output, Output: string(line)}
	}
	return e
}
