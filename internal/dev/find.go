package dev

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Find reads the dev.json of a folder. Without a folder it is the working
// directory's, else the newest that `causeway dev` left in a temporary folder.
func Find(folder string) (*File, error) {
	if folder != "" {
		return existing(folder)
	}
	if _, err := os.Stat(fileName); err == nil {
		return existing(".")
	}
	found, _ := filepath.Glob(filepath.Join(os.TempDir(), tempFolders, fileName))
	newest, at := "", time.Time{}
	for _, path := range found {
		info, err := os.Lstat(path)
		// Others may put files there, too; ours nobody else can read.
		if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 == 0 && mine(info) && info.ModTime().After(at) {
			newest, at = path, info.ModTime()
		}
	}
	if newest == "" {
		return nil, fmt.Errorf("there is no %s here: run causeway dev, or say which --folder it runs in", fileName)
	}
	return existing(filepath.Dir(newest))
}

func existing(folder string) (*File, error) {
	f, err := readFile(folder)
	if err == nil && len(f.Sites) == 0 {
		err = fmt.Errorf("%s names no site", filepath.Join(folder, fileName))
	}
	return f, err
}
