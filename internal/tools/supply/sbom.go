package main

import (
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// writeSBOM lists what the linker says is in a binary. It holds no time and no
// serial number, so the same binary gives the same bytes.
func writeSBOM(out io.Writer, binary, version string, used []module) error {
	f, err := os.Open(binary)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := buildinfo.Read(f)
	if err != nil {
		return fmt.Errorf("%s: %w", binary, err)
	}
	app := cdx.Component{
		BOMRef: "causeway", Type: cdx.ComponentTypeApplication, Name: "causeway", Version: version,
		Licenses: &cdx.Licenses{{License: &cdx.License{ID: "Apache-2.0"}}},
		Properties: &[]cdx.Property{
			{Name: "file", Value: filepath.Base(binary)},
			{Name: "GOOS", Value: setting(info.Settings, "GOOS")},
			{Name: "GOARCH", Value: setting(info.Settings, "GOARCH")},
		},
	}
	std := strings.TrimPrefix(info.GoVersion, "go")
	parts := []cdx.Component{{
		BOMRef: "pkg:golang/std@" + std, Type: cdx.ComponentTypeLibrary, Name: "std", Version: std,
		PackageURL: "pkg:golang/std@" + std, Licenses: &cdx.Licenses{{License: &cdx.License{ID: "BSD-3-Clause"}}},
	}}
	for _, dep := range info.Deps {
		if dep.Replace != nil {
			dep = dep.Replace
		}
		part, err := component(dep.Path, dep.Version, dep.Sum, used)
		if err != nil {
			return err
		}
		parts = append(parts, part)
	}
	refs := []string{}
	for _, p := range parts {
		refs = append(refs, p.BOMRef)
	}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Component: &app}
	bom.Components = &parts
	bom.Dependencies = &[]cdx.Dependency{{Ref: app.BOMRef, Dependencies: &refs}}
	return cdx.NewBOMEncoder(out, cdx.BOMFileFormatJSON).SetPretty(true).Encode(bom)
}

// component is a module as scanners look for it, with go.sum's digest of its files.
func component(path, version, sum string, used []module) (cdx.Component, error) {
	at := slices.IndexFunc(used, func(m module) bool { return m.Path == path && m.Version == version })
	if at < 0 {
		return cdx.Component{}, fmt.Errorf("%s %s is in the binary, but not in this go.mod: was it built from here", path, version)
	}
	digest, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(sum, "h1:"))
	if err != nil || len(digest) != 32 {
		return cdx.Component{}, fmt.Errorf("%s %s has no checksum", path, version)
	}
	licences := cdx.Licenses{}
	for _, id := range used[at].ids() {
		licences = append(licences, cdx.LicenseChoice{License: &cdx.License{ID: id}})
	}
	purl := "pkg:golang/" + path + "@" + version
	return cdx.Component{
		BOMRef: purl, Type: cdx.ComponentTypeLibrary, Name: path, Version: version, PackageURL: purl,
		Hashes:   &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(digest)}},
		Licenses: &licences,
	}, nil
}

// setting is how the binary was built. What was linked in by flags is not among it:
// with -trimpath the linker keeps quiet about them.
func setting(settings []debug.BuildSetting, key string) string {
	for _, s := range settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}
