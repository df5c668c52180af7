package dev

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"causeway/internal/atomicfile"
	"causeway/internal/localca"
	"causeway/internal/site"
	"causeway/internal/store"
)

// prepare makes a folder ready to run from: plan, keys, certificates, databases
// and what is in them. It makes only what is missing, so that a start that was
// cut short anywhere goes on, and a second process waits for the first.
func prepare(ctx context.Context, folder string, o Options) (*File, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	unlock, err := site.Lock(filepath.Join(folder, ".lock"))
	if err != nil {
		return nil, err
	}
	defer unlock()
	f, err := readFile(folder)
	if err != nil {
		return nil, err
	}
	fresh := len(f.Sites) == 0
	if fresh {
		f = newFile(folder)
	}
	f.CA = filepath.Join(folder, "ca.pem") // the folder may have been moved
	switch {
	case o.Base != nil && (fresh || *o.Base != 0): // 0 keeps the free ports found before
		err = f.assignPorts(*o.Base)
	case fresh:
		err = f.assignPorts(defaultBase)
	}
	if err != nil {
		return nil, err
	}
	if err := f.write(folder); err != nil {
		return nil, err
	}
	ca, err := f.makeFiles(folder)
	if err != nil {
		return nil, err
	}
	for i := range f.Sites {
		if err := migrate(ctx, o.config(f, folder, &f.Sites[i]).Database.URL.Reveal()); err != nil {
			return nil, err
		}
	}
	if f.complete() {
		return f, nil
	}
	if err := f.fill(ctx, folder, ca.PEM, o); err != nil {
		return nil, err
	}
	return f, f.write(folder)
}

// complete reports whether everything has been made: identifiers are noted last.
func (f *File) complete() bool {
	for _, s := range f.Sites {
		if s.ID == "" {
			return false
		}
		for _, o := range s.Organizations {
			if o.ID == "" {
				return false
			}
		}
	}
	return true
}

func (f *File) makeFiles(folder string) (*localca.Authority, error) {
	now := time.Now()
	ca, err := localca.Load(folder, now)
	if err != nil {
		return nil, err
	}
	gossipKey := filepath.Join(folder, "gossip.key")
	if _, err := os.Stat(gossipKey); errors.Is(err, fs.ErrNotExist) {
		key := make([]byte, 32)
		_, _ = rand.Read(key) // does not fail
		if err := atomicfile.Write(gossipKey, []byte(base64.StdEncoding.EncodeToString(key)+"\n"), 0o600); err != nil {
			return nil, err
		}
	}
	for i := range f.Sites {
		own := siteFolder(folder, f.Sites[i].Name)
		if err := os.MkdirAll(own, 0o700); err != nil {
			return nil, err
		}
		cert := filepath.Join(own, "public.pem")
		if lasts(cert, now.Add(certificateLife)) {
			continue
		}
		if err := ca.Issue(cert, filepath.Join(own, "public-key.pem"), []string{"localhost", "127.0.0.1", "::1"}, now); err != nil {
			return nil, err
		}
	}
	return ca, nil
}

// lasts reports whether the certificate in a file is good until then.
func lasts(file string, then time.Time) bool {
	body, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	block, _ := pem.Decode(body)
	if block == nil {
		return false
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	return err == nil && cert.NotAfter.After(then)
}

// fill seeds the databases of all sites and associates them.
func (f *File) fill(ctx context.Context, folder, caPEM string, o Options) (err error) {
	sites := make([]*site.Site, len(f.Sites))
	defer func() {
		for _, s := range sites {
			if s != nil {
				err = errors.Join(err, s.Close())
			}
		}
	}()
	keys := map[string]exported{}
	for i := range f.Sites {
		plan := &f.Sites[i]
		c := o.config(f, folder, plan)
		if sites[i], err = site.New(ctx, c, site.Options{}); err != nil {
			return err
		}
		if err := seed(ctx, sites[i], plan, f.Account); err != nil {
			return err
		}
		if keys[plan.Name], err = export(ctx, sites[i], plan); err != nil {
			return err
		}
	}
	for i := range f.Sites {
		if err := f.associate(ctx, sites[i], &f.Sites[i], keys, caPEM); err != nil {
			return err
		}
	}
	return nil
}

func migrate(ctx context.Context, url string) error {
	db, err := store.Open(ctx, store.Config{URL: url})
	if err != nil {
		return err
	}
	return errors.Join(db.Migrate(ctx), db.Close())
}
