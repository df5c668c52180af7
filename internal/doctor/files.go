package doctor

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"causeway/internal/config"
)

// files looks at who can read and change what a cell lives from.
func (e *examination) files(c *config.Config) {
	before := len(e.found)
	if e.File != "" {
		e.file("configuration file", e.File, holdsPassword(c))
	}
	if len(c.Keys.MasterCommand) == 0 && c.Keys.MasterKey == "" {
		e.file("master key", c.Keys.MasterFile, true)
	}
	if c.Public.Key != "" {
		e.file("key of the certificate", c.Public.Key, true)
	}
	if c.Gossip != nil {
		e.file("gossip key", c.Gossip.KeyFile, true)
	}
	if c.Cells != nil {
		e.file("key of the cells' pool", c.Cells.KeyFile, true)
	}
	if path, ok := c.Database.SQLite(); ok {
		e.file("database", path, true)
	}
	if len(e.found) == before {
		e.ok("files", "Files can be read by those who should, and by nobody else.")
	}
}

// file looks at one; secret ones are nobody else's to read.
func (e *examination) file(what, path string, secret bool) {
	info, err := os.Stat(path)
	if err != nil {
		e.fail("files", advice{"A cell does not start without it.", "Bring the file back, or correct the setting that names it."}, "The %s cannot be found: %v", what, err)
		return
	}
	if f, err := os.Open(path); err != nil {
		e.fail("files", advice{"A cell that runs as the same user cannot read it either.", "Run doctor as the user of the cell; chown the file to that user if it is not theirs."}, "The %s cannot be read: %v", what, err)
	} else {
		f.Close()
	}
	mode := info.Mode().Perm()
	switch {
	case !onUnix: // modes say nothing there
	case secret && mode&0o007 != 0, secret && what == "master key" && mode&0o077 != 0:
		e.fail("files", advice{"Whoever reads it can be this site, or read what it keeps.", "chmod 600 " + path + "; if people may have read it, make a new one."},
			"Others on this machine can read the %s: %s has mode %04o.", what, path, mode)
	case mode&0o022 != 0:
		e.fail("files", advice{"Whoever changes it decides what this site does.", "chmod go-w " + path}, "Others on this machine can change the %s: %s has mode %04o.", what, path, mode)
	case secret && foreign(path, info):
		e.warn("files", advice{"The cell runs as the owner of the folder, who may not read or write the file: commonly because a command was run as root.",
			"chown the file to the owner of its folder."}, "The %s, %s, belongs to somebody else than its folder does.", what, path)
	}
}

// foreign is a file that belongs to another user than its folder, unless root keeps
// it and lets a group read.
func foreign(path string, file fs.FileInfo) bool {
	folder, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return false
	}
	theirs, known := owner(file)
	folders, _ := owner(folder)
	return known && theirs != folders && folders != 0 && (theirs != 0 || file.Mode().Perm()&0o040 == 0)
}

// holdsPassword tells whether the configuration file does, or may.
func holdsPassword(c *config.Config) bool {
	if c.Keys.MasterKey != "" {
		return true
	}
	u, err := url.Parse(c.Database.URL.Reveal())
	if err != nil {
		return true
	}
	_, inside := u.User.Password()
	return inside
}
