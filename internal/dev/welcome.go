package dev

import (
	_ "embed"
	"io"
	"strings"
	"text/template"
)

//go:embed welcome.txt
var welcomeText string

//go:embed transcript.sh
var transcriptText string

// Transcript is the story of one app, as lines to paste into a shell.
func (f *File) Transcript() (string, error) {
	var b strings.Builder
	t, err := template.New("transcript").Funcs(template.FuncMap{"uuid": bare}).Parse(transcriptText)
	if err != nil {
		return "", err
	}
	err = t.Execute(&b, map[string]any{
		"CA": f.CA, "West": f.Site("west"), "East": f.Site("east"),
		"Acme": f.Site("west").Org("acme"), "EastAcme": f.Site("east").Org("acme"),
	})
	return b.String(), err
}

// bare takes the UUID out of a URN.
func bare(urn string) string { return urn[strings.LastIndexByte(urn, ':')+1:] }

func (d *Dev) welcome(w io.Writer, only string) error {
	transcript, err := d.File.Transcript()
	if err != nil {
		return err
	}
	t, err := template.New("welcome").Parse(welcomeText)
	if err != nil {
		return err
	}
	return t.Execute(w, map[string]any{"File": d.File, "Folder": d.Folder, "Only": only, "Transcript": transcript})
}
