package dev

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"causeway/internal/atomicfile"
)

// File is dev.json: everything a script needs to know about a running pair of
// sites. It holds passwords, so it is readable by its owner only.
type File struct {
	CA      string     `json:"ca"` // file with the certificate to trust
	Account Account    `json:"account"`
	Sites   []SiteFile `json:"sites"`
}

// Account is the service account that exists in several organizations.
type Account struct {
	Name       string `json:"name"`
	SoftwareID string `json:"softwareId"`
}

// SiteFile is one site.
type SiteFile struct {
	Name          string    `json:"name"`
	ID            string    `json:"id"`     // urn:vcloud:site:<uuid>
	API           string    `json:"api"`    // https://host:port
	Portal        string    `json:"portal"` // where the provider's people go
	Ops           string    `json:"ops"`    // http://host:port, metrics and health
	Sample        string    `json:"sample"` // path prefix of the sample service
	Ports         Ports     `json:"ports"`
	Admin         Login     `json:"admin"`
	Organizations []OrgFile `json:"organizations"`
}

// Ports are the listeners of a site, all on loopback.
type Ports struct {
	Public     int `json:"public"`
	Peer       int `json:"peer"`
	Gossip     int `json:"gossip"`
	Operations int `json:"operations"`
	Sample     int `json:"sample"`
}

// Login is a person's.
type Login struct {
	User     string `json:"user"`
	Password string `json:"password"`
}

// OrgFile is one organization of a site.
type OrgFile struct {
	Name  string `json:"name"`
	ID    string `json:"id"` // urn:vcloud:org:<uuid>
	Admin Login  `json:"admin"`
}

const fileName = "dev.json"

// readFile reads dev.json. A folder without one gives an empty File.
func readFile(folder string) (*File, error) {
	body, err := os.ReadFile(filepath.Join(folder, fileName))
	if errors.Is(err, fs.ErrNotExist) {
		return &File{}, nil
	}
	if err != nil {
		return nil, err
	}
	var f File
	if err := json.Unmarshal(body, &f); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", filepath.Join(folder, fileName), err)
	}
	return &f, nil
}

func (f *File) write(folder string) error {
	body, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(folder, fileName), append(body, '\n'), 0o600)
}

// Site finds a site by name.
func (f *File) Site(name string) *SiteFile {
	for i := range f.Sites {
		if f.Sites[i].Name == name {
			return &f.Sites[i]
		}
	}
	return nil
}

// Org finds an organization of a site by name.
func (s *SiteFile) Org(name string) *OrgFile {
	for i := range s.Organizations {
		if s.Organizations[i].Name == name {
			return &s.Organizations[i]
		}
	}
	return nil
}
